"""Makes short texts that try to tell two text operators apart: odd characters, and pieces of what patterns look for.

The same seed gives the same texts. The standard library only, so that it runs inside any engine's environment.
"""

# ruff: noqa: RUF001 - the characters are odd on purpose

import random

SEPARATORS = (
    "\n\r\x0b\x0c\x1c\x1d\x1e\x1f\x85\u2028\u2029\t \xa0\x84\u1680\u2000\u2005\u2007\u200b"
    "\u200c\u200d\u202f\u205f\u2060\u3000\ufeff￼"
)
# İ and the Kelvin sign fold to ASCII; ß, final sigma and DŽ change when lowered; the last are newer than Polars 2.1.
LETTERS = (
    "abcdexyzABCXYZéüßçñøıİKſσςΣЖжДДž日本語中文上一アーッシ한글ابهםไทยनााीᲐა𝒜𝔄Ǆﬁ０Ａ\u0558\u1acf\U00016ea0"
    "\U000323b0\U0001d6a6"
)
DIGITS = "0123456789٠١२३²³½Ⅷ一〇①𝟘\U00011de0\U0001ccf0"
MARKS = (
    "…—–-_.,;:!?¿'\"`´’‘“”„«»()[]{}<>/\\|@#$%^&*+=~°·•★☆♫€£™©®❤\ufe0f😀👨\u200d👩\u200d👧🇩🇪\u0301"
    "\u0308⃣\xad。、，；：？！（）【】「」《》〈〉％～．►━∶１"
)
CONTROLS = "\x00\x01\x07\x08\x1b\x7f\x80\x81\x9f\ufffd\uffff\U0010ffff\ue000"
PIECES = (
    "https://example.com/a(b)c?q=1",
    "http://user:pw@host:80/x",
    "ftp:/x",
    "foo:bar",
    "a-b:c",
    "mailto:ann@example.org",
    "www.example.org",
    "WWW3.x",
    "www12345.x",
    "sub.example.co.uk/path",
    ".a.bc/d",
    "-.com/x",
    "x.info/(a(b)c)",
    "a.b/c",
    "a.comm/<b>",
    "a.commm/x",
    "://",
    "((",
    "))",
    "ann.b+c-d_e@mail.example.org",
    "A@b.C",
    "a@b.c@d.e",
    "@x.y",
    "1.2.3.4",
    "10.0.255.256",
    "999.1.1.1",
    "01.02.03.04",
    "1.2.3.",
    "2001:0db8:85a3:0000:0000:8a2e:0370:7334",
    "::1",
    "1:2:3:4:5:6:7:8:9",
    "a:b:c:d:e:f:1:2",
    "<p>Hello &amp; <b>you</b></p>",
    "<li>one</li><li>two",
    "<ol><LI>x</ol>",
    "<script>var a = '<b>';</script>",
    "<style>p{}</style>",
    "<!-- c -->",
    "<br/>",
    "&lt;tag&gt; &eacute; &#8217; &#x27;&nbsp;&bogus; &amp",
    "</p>",
    "< 5",
    "<table><tr><td>1<td>2</table>",
    "<textarea>\n a</textarea>",
    "<title>t</title>",
    "<![CDATA[x]]>",
    "Ã©tÃ© cafÃ©",
    "â€œquotedâ€\x9d",
    "Ð¿Ñ€Ð¸Ð²ÐµÑ‚",
    "ï»¿",
    "\x1b[31mred\x1b[0m",
    "ﬁne ﬂow ＬＯＵＤ",
    "e\u0301 A\u030a ϔ Å",
    "the the the the the the",
    "one two three four five six seven eight nine ten",
    "aaaaaaaaaaaaaaaaaaaaaaaa",
    "Word, word. WORD! «word»",
    "ΑΣ ΟΔΥΣΣΕΥΣ ΣΑΣ.",
    "#hashtag",
    "1,234.56",
)
ALPHABETS = (SEPARATORS, LETTERS, DIGITS, MARKS, CONTROLS)


def word(rng: random.Random) -> str:
    """Return a piece, or a few characters of one alphabet, or of any."""
    choice = rng.random()
    if choice < 0.35:
        return rng.choice(PIECES)
    if choice < 0.5:
        piece = rng.choice(PIECES)
        place = rng.randrange(len(piece) + 1)
        return piece[:place] + rng.choice(rng.choice(ALPHABETS)) + piece[place + rng.randrange(2) :]
    if choice < 0.95:
        alphabet = rng.choice(ALPHABETS)
        return "".join(rng.choice(alphabet) for _ in range(rng.randrange(1, 8)))
    return "".join(chr(rng.choice((rng.randrange(0xD800), rng.randrange(0xE000, 0x110000)))) for _ in range(4))


def text(rng: random.Random) -> str:
    """Return one text of up to 40 words; one in fifty is empty, one in four repeats itself."""
    if rng.random() < 0.02:
        return ""
    joint = rng.choice(("", " ", " ", " ", "\n", rng.choice(SEPARATORS)))
    words = [word(rng) for _ in range(rng.randrange(1, rng.choice((3, 8, 40))))]
    made = joint.join(words)
    return made + joint + made if rng.random() < 0.25 else made


def texts(seed: int, count: int) -> list[str]:
    """Return `count` texts; about one in eight occurs again, at times with white space around it."""
    rng = random.Random(seed)
    made = [text(rng) for _ in range(count)]
    for place in range(count):
        if rng.random() < 0.12:
            made[place] = rng.choice(("", " ", "\x1c", "\u2028")) + made[rng.randrange(count)] + rng.choice(("", "\n"))
    return made
