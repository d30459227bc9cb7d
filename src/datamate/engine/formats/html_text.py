"""The visible text of an HTML page: one line for each block, white space as a browser would show it."""

from selectolax.lexbor import LexborHTMLParser

_INVISIBLE = ["script", "style", "noscript", "template", "head"]
_BLOCKS = (
    "address,article,aside,blockquote,br,dd,details,div,dl,dt,fieldset,figcaption,figure,footer,form,h1,h2,h3,h4,h5,h6,"
    "header,hr,li,main,nav,ol,option,p,section,summary,table,tr,ul"
)
_CELLS = "td,th"
# Code points that Unicode reserves for use inside a program, so no text holds them.
_BREAK, _KEPT_SPACE, _KEPT_TAB = "\ufdd0", "\ufdd1", "\ufdd2"
_RESTORED = str.maketrans({_KEPT_SPACE: " ", _KEPT_TAB: "\t"})
_PREFORMATTED = str.maketrans({"\n": _BREAK, " ": _KEPT_SPACE, "\t": _KEPT_TAB})


def visible_text(markup: str) -> str:
    """Return the text that a reader of the page sees; "" if there is none.

    White space is squeezed except inside `pre`; blocks, table rows and `br` begin a new line.
    """
    tree = LexborHTMLParser(markup)
    tree.strip_tags(_INVISIBLE)
    if tree.body is None:
        return ""
    for node in tree.css("pre"):
        node.insert_before(_BREAK + node.text().translate(_PREFORMATTED) + _BREAK)
        node.decompose()
    for node in tree.css(_BLOCKS):
        node.insert_before(_BREAK)
        node.insert_after(_BREAK)
    for node in tree.css(_CELLS):
        node.insert_after(" ")
    lines = (" ".join(line.split()).translate(_RESTORED) for line in tree.body.text().split(_BREAK))
    return "\n".join(line for line in lines if line.strip())
