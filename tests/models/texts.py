"""Public-domain English from Debian's packages, split into training, development and test text.

Sources: SQLite's documentation (sqlite3-doc), the King James Bible (bible-kjv, bible-kjv-text), the Jargon File (dict-jargon) and
The Devil's Dictionary (dict-devil). A package that isn't installed is downloaded with apt-get and unpacked into a folder of ours, so
that no root is needed. The texts depend on the packages' versions: `versions` says which they were.
"""

import gzip
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

BLOCK_CHARACTERS = 6000
HELD_OUT_EVERY = 16  # one block in 16 of each source is held out; they go to the development and the test text in turn
PACKAGES = ("sqlite3-doc", "bible-kjv-text", "bible-kjv", "dict-jargon", "dict-devil")
DOCUMENT_END = "<|endoftext|>"

INDEX_PAGES = re.compile(r"doc_.*crossref|keyword_index|requirements|sitemap|toc|docs|syntaxdiagrams|.*list|rescode$")
BREAKING_TAGS = frozenset("p h1 h2 h3 h4 h5 li dt dd div tr table ul ol blockquote br pre hr center".split())
SILENT_TAGS = frozenset("script style svg head textarea form".split())
FOOTERS = ("This page last modified on", "See also lists of")
SHORT_CHARACTERS = 60  # shorter paragraphs may repeat: a heading, a keyword


class TextError(Exception):
    """A package that can't be had or doesn't hold what is expected."""


def run(command, cwd=None):
    """Standard output of a command, as text."""
    if shutil.which(command[0]) is None and not Path(command[0]).exists():
        raise TextError(f"{command[0]} is missing; the texts come from Debian's packages")
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    if done.returncode != 0:
        raise TextError(f"`{' '.join(map(str, command))}` failed: {done.stderr.strip()[-300:]}")
    return done.stdout


def package_root(package, cache):
    """Folder under which the package's files lie: / where it is installed, else one below `cache`. Its version, too."""
    query = ["dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", package]
    state = subprocess.run(query, capture_output=True, text=True).stdout.split() if shutil.which(query[0]) else []
    # Containers often leave documentation out of what they install, hence the look at one of the files.
    if state[:1] == ["installed"] and (package != "sqlite3-doc" or Path("/usr/share/doc/sqlite3/lang.html").exists()):
        return Path("/"), state[1]
    folder = cache / package
    folder.mkdir(parents=True, exist_ok=True)
    if not list(folder.glob("*.deb")):
        run(["apt-get", "download", package], cwd=folder)
    deb = next(folder.glob("*.deb"))
    if not (folder / "usr").exists():
        run(["dpkg-deb", "-x", deb.name, "."], cwd=folder)
    return folder, run(["dpkg-deb", "-f", str(deb), "Version"]).strip()


class PageText(HTMLParser):
    """Paragraphs of one page of SQLite's documentation, without menus, scripts and drawings."""

    def __init__(self):
        super().__init__()
        self.paragraphs, self.parts = [], []
        self.silent_tag, self.silent_depth, self.preformatted = None, 0, False

    def handle_starttag(self, tag, attrs):
        if self.silent_tag:
            self.silent_depth += tag == self.silent_tag
        elif tag in SILENT_TAGS or (tag == "div" and dict(attrs).get("class") in ("nosearch", "hidden")):
            self.silent_tag, self.silent_depth = tag, 1
        elif tag in BREAKING_TAGS:
            self.end_paragraph()
            self.preformatted = tag == "pre" or (self.preformatted and tag == "br")
        elif tag in ("td", "th"):
            self.parts.append(" ")

    def handle_endtag(self, tag):
        if self.silent_tag:
            self.silent_depth -= tag == self.silent_tag
            self.silent_tag = self.silent_tag if self.silent_depth else None
        elif tag in BREAKING_TAGS:
            self.end_paragraph()
            self.preformatted = False

    def handle_data(self, data):
        if not self.silent_tag:
            self.parts.append(data)

    def end_paragraph(self):
        text = "".join(self.parts)
        lines = [line.rstrip() for line in text.split("\n")] if self.preformatted else [" ".join(text.split())]
        text = "\n".join(lines).strip("\n")
        if text.strip() and not text.startswith(FOOTERS):
            self.paragraphs.append(text)
        self.parts = []


def sqlite_pages(root):
    """Pages of SQLite's documentation, each a list of paragraphs; a paragraph that another page had already is left out."""
    seen, pages = set(), []
    folder = root / "usr/share/doc/sqlite3"
    for path in sorted(folder.rglob("*.html"), key=lambda p: p.relative_to(folder).as_posix()):
        if INDEX_PAGES.fullmatch(path.stem):
            continue
        parser = PageText()
        parser.feed(path.read_text(encoding="utf-8", errors="replace"))
        parser.close()
        parser.end_paragraph()
        fresh = [p for p in parser.paragraphs if len(p) < SHORT_CHARACTERS or p not in seen]
        seen.update(fresh)
        if sum(len(p) for p in fresh) >= 4 * SHORT_CHARACTERS:
            pages.append(fresh)
    return pages


def bible_books(root_program, root_text):
    """Books of the King James Bible, each a list of verses; an empty verse stands between chapters."""
    command = [str(root_program / "usr/bin/bible"), "-p", str(root_text / "usr/lib"), "-f", "gen1:1-rev22:21"]
    books, last_book, last_chapter = [], None, None
    for line in run(command).splitlines():
        match = re.fullmatch(r"(\S+?)(\d+):\d+ (.*)", line)
        if not match:
            continue
        book, chapter, verse = match.groups()
        if book != last_book:
            books.append([])
        elif chapter != last_chapter:
            books[-1].append("")
        books[-1].append(verse.strip())
        last_book, last_chapter = book, chapter
    return books


def dictionary(root, name, first_entry):
    """The dictionary as one document of paragraphs, from the paragraph that starts with `first_entry`: a licence is before it."""
    raw = gzip.decompress((root / f"usr/share/dictd/{name}.dict.dz").read_bytes()).decode("utf-8", errors="replace")
    paragraphs = [p.strip("\n") for p in re.split(r"\n{2,}", raw) if p.strip()]
    start = next((i for i, p in enumerate(paragraphs) if p.startswith(first_entry)), None)
    if start is None:
        raise TextError(f"{name}.dict.dz has no entry {first_entry}")
    return [[p + "\n" for p in paragraphs[start:]]]


def blocks_of(documents):
    """Texts of about BLOCK_CHARACTERS, cut between paragraphs; no block holds parts of two documents."""
    blocks = []
    for paragraphs in documents:
        kept, size = [], 0
        for paragraph in paragraphs:
            kept.append(paragraph)
            size += len(paragraph) + 1
            if size >= BLOCK_CHARACTERS:
                blocks.append("\n".join(kept) + "\n")
                kept, size = [], 0
        if kept:
            blocks.append("\n".join(kept) + "\n")
    return blocks


def split(cache):
    """{"train" | "development" | "test": [block]}, and {package: version}. Blocks keep the order of their source."""
    roots, versions = {}, {}
    for package in PACKAGES:
        roots[package], versions[package] = package_root(package, Path(cache))
    sources = (
        sqlite_pages(roots["sqlite3-doc"]),
        bible_books(roots["bible-kjv"], roots["bible-kjv-text"]),
        dictionary(roots["dict-jargon"], "jargon", "(TM)"),
        dictionary(roots["dict-devil"], "devil", "ABASEMENT"),
    )
    parts = {"train": [], "development": [], "test": []}
    for documents in sources:
        for i, block in enumerate(blocks_of(documents)):
            held_out = i % HELD_OUT_EVERY == HELD_OUT_EVERY // 2
            part = ("development", "test")[i // HELD_OUT_EVERY % 2] if held_out else "train"
            parts[part].append(block)
    return parts, versions
