"""What the documents say to type: their shell blocks, and the commands in their sentences.

A block may have a comment before it, `<!-- elsewhere: REASON -->`: it needs root, a second machine, the internet or
something of the reader's, so the tests check its syntax and its options and do not run it.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *(ROOT / "docs").glob("*.md")])
_ELSEWHERE = re.compile(r"<!-- elsewhere: (.+?) -->\n?")


class Block(NamedTuple):
    """A block of shell commands."""

    path: Path
    line: int
    section: str
    text: str
    elsewhere: str | None

    @property
    def name(self) -> str:
        return f"{self.path.name}:{self.line}"


def shell_blocks(path: Path) -> list[Block]:
    """Return the blocks of shell commands of a document, in their order."""
    blocks, section, reason = [], "", None
    tokens = MarkdownIt().parse(path.read_text())
    for number, token in enumerate(tokens):
        if token.type == "heading_open":
            section = tokens[number + 1].content
        if token.type == "fence" and token.info == "sh":
            blocks.append(Block(path, _line(token), section, token.content, reason))
        if token.type in ("fence", "html_block", "paragraph_open", "heading_open"):
            comment = _ELSEWHERE.fullmatch(token.content) if token.type == "html_block" else None
            reason = comment[1] if comment else None
    return blocks


def code_spans(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and text of every piece of code in the sentences and tables of a document."""
    for token in MarkdownIt().enable("table").parse(path.read_text()):
        if token.type == "inline":
            for child in token.children or []:
                if child.type == "code_inline":
                    yield _line(token), child.content.replace("\n", " ")


def other_code(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and text of the blocks of code that are not shell."""
    for token in MarkdownIt().parse(path.read_text()):
        if token.type == "code_block" or (token.type == "fence" and token.info != "sh"):
            yield _line(token), token.content


def _line(token: Token) -> int:
    return token.map[0] + 1 if token.map else 0
