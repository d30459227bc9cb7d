"""Makes the sample of `datamate demo` from four Debian packages whose texts are in the public domain.

Fetch the packages into a folder, then run this on it:

    apt-get download dict-devil dict-jargon sqlite3-doc tzdata
    python tests/bench/make_demo_sample.py --packages . --output src/datamate/app/demo/sample

The texts are real, and so is most of their mess: HTML remains, menus repeated on every page, entries of one word,
links, addresses. What a crawl adds on a bad day is put in by hand at fixed places, and SOURCE.md beside the sample says
so: lines cut short, an error page among the rows, text in another encoding, rows without text.
"""

import argparse
import csv
import gzip
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGES = ("dict-devil", "dict-jargon", "sqlite3-doc", "tzdata")

_DICTD_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_HEADING = re.compile(r"(?=<h[1-4][ >])", re.IGNORECASE)
_RELEASE = re.compile(r"(?m)^(?=Release \S+ - )")

_PAGE_BYTES = range(9_000, 34_000)
_WHOLE_PAGE_EVERY = 6

_MOJIBAKE_EVERY = 30
_NEWEST_RELEASES = 12


@dataclass(frozen=True, slots=True)
class Document:
    """One text with its title and where it was found."""

    title: str
    text: str
    url: str

    def to_json(self) -> str:
        """Return it as one line of JSON, characters as they are."""
        return json.dumps({"title": self.title, "text": self.text, "url": self.url}, ensure_ascii=False)


def main() -> int:
    """Make the sample."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=Path, required=True, help="folder with the four .deb files")
    parser.add_argument("--output", type=Path, required=True, help="folder to write the sample to")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for package in PACKAGES:
            [archive] = sorted(options.packages.glob(f"{package}_*.deb"))
            subprocess.run(["dpkg-deb", "-x", str(archive), str(root / package)], check=True)
        write_sample(root, options.output)
    return 0


def write_sample(packages: Path, output: Path) -> None:
    """Write every file of the sample.

    Args:
        packages: Folder with one unpacked package in each subfolder.
        output: Folder to write to.
    """
    pages = packages / "sqlite3-doc/usr/share/doc/sqlite3"
    for folder in ("", "crawl", "pages", "news"):
        (output / folder).mkdir(parents=True, exist_ok=True)
    write_jargon(packages / "dict-jargon/usr/share/dictd", output / "jargon.jsonl")
    write_devil(packages / "dict-devil/usr/share/dictd", output / "devil.csv")
    chosen = [page for page in sorted(pages.glob("*.html")) if page.stat().st_size in _PAGE_BYTES]
    whole = chosen[::_WHOLE_PAGE_EVERY]
    write_passages([page for page in chosen if page not in whole], output / "crawl/passages.jsonl")
    for page in whole:
        (output / "pages" / page.name).write_bytes(page.read_bytes())
    write_release_notes(pages / "releaselog", output / "crawl/releases.jsonl")
    write_news(packages / "tzdata/usr/share/doc/tzdata/changelog.gz", output / "news")


def write_jargon(folder: Path, target: Path) -> None:
    """Write the Jargon File, one entry a row; some rows went through a program that took UTF-8 for Windows-1252."""
    lines: list[bytes] = []
    for number, (title, text) in enumerate(read_dictionary(folder, "jargon")):
        if number % _MOJIBAKE_EVERY == 1:
            text = mistaken_for_windows_1252(text)  # noqa: PLW2901 - the same text, worse
        page = f"{title[0].upper()}/{title}.html" if title.isalpha() else "index.html"
        document = Document(title, text, f"http://catb.org/jargon/html/{page}")
        lines.append(document.to_json().encode())
        if title in {"glark", "moby"}:
            lines.append(Document(title, text, "").to_json().encode("cp1252", "replace"))
    target.write_bytes(b"\n".join(lines) + b"\n")


def mistaken_for_windows_1252(text: str) -> str:
    """Return what a program shows that takes UTF-8 for Windows-1252, as browsers read it (WHATWG Encoding)."""
    undefined = {0x81, 0x8D, 0x8F, 0x90, 0x9D}
    return "".join(chr(byte) if byte in undefined else bytes([byte]).decode("cp1252") for byte in text.encode())


def write_devil(folder: Path, target: Path) -> None:
    """Write the Devil's Dictionary as a table."""
    with target.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("title", "text", "url"))
        for first_line, rest in read_dictionary(folder, "devil"):
            title = first_line.partition(",")[0]
            writer.writerow(
                (title, f"{first_line}\n{rest}", "http://wiretap.area.com/Gopher/Library/Classic/devils.txt")
            )


def write_passages(pages: list[Path], target: Path) -> None:
    """Write pages cut at their headings, as a crude crawler stores them, with what its bad days leave behind."""
    lines = [passage.to_json() for page in pages for passage in passages(page)]
    damaged = {
        40: lines[40][: len(lines[40]) // 2],
        333: "<html><head><title>503 Service Unavailable</title></head><body>Please try again.</body></html>",
        400: json.dumps({"title": "no text came", "text": None, "url": "https://sqlite.org/forum/timeline"}),
        401: json.dumps({"title": "nor here", "url": "https://sqlite.org/forum/forumthread"}),
        len(lines): lines[-1][:-40],
    }
    for place in sorted(damaged, reverse=True):
        lines.insert(place, damaged[place])
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


def passages(page: Path) -> Iterator[Document]:
    """Yield the parts of one page between its headings, markup and all."""
    markup = page.read_text(encoding="utf-8", errors="replace")
    found = re.search(r"<title>(.*?)</title>", markup, re.DOTALL)
    title = found.group(1).strip() if found else page.stem
    body = markup.partition("<body>")[2]
    for part in _HEADING.split(body):
        yield Document(title, part.strip(), f"https://sqlite.org/{page.name}")


def write_release_notes(folder: Path, target: Path) -> None:
    """Write the notes of every release, one row each."""
    lines = [[*passages(page)][-1].to_json() for page in sorted(folder.glob("*.html"))]
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_news(archive: Path, folder: Path) -> None:
    """Write the news of the time zone database: the newest releases as Markdown, older ones as text by year."""
    releases = _RELEASE.split(gzip.decompress(archive.read_bytes()).decode())[1:]
    by_year: dict[str, list[str]] = {}
    for number, release in enumerate(releases):
        name = release.split()[1]
        if number < _NEWEST_RELEASES:
            (folder / f"{name}.md").write_text(to_markdown(release), encoding="utf-8")
        else:
            by_year.setdefault(release.partition(" - ")[2][:4], []).append(release)
    for year, texts in by_year.items():
        (folder / f"{year}.txt").write_text("".join(texts), encoding="utf-8")


def to_markdown(release: str) -> str:
    """Return the news of one release with its two kinds of headings marked."""
    first, _, rest = release.partition("\n")
    headed = re.sub(r"(?m)^  (\S.*)$", r"## \1", rest)
    return f"# {first}\n{headed.rstrip()}\n"


def read_dictionary(folder: Path, name: str) -> Iterator[tuple[str, str]]:
    """Yield the headword and the text of each entry of a dictd database, in the order of the file."""
    data = gzip.decompress((folder / f"{name}.dict.dz").read_bytes())
    index = [line.split("\t") for line in (folder / f"{name}.index").read_text(encoding="utf-8").splitlines()]
    places = {
        (_dictd_number(start), _dictd_number(length)) for word, start, length in index if not word.startswith("00")
    }
    for start, length in sorted(places):
        headword, _, text = data[start : start + length].decode().partition("\n")
        yield headword.strip(), text.strip("\n")


def _dictd_number(digits: str) -> int:
    value = 0
    for digit in digits:
        value = value * 64 + _DICTD_DIGITS.index(digit)
    return value


if __name__ == "__main__":
    sys.exit(main())
