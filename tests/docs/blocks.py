"""Takes the code blocks out of a page, with what their first line says about them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, NamedTuple

from tests.house.source import ROOT

_FENCE: Final = re.compile(
    r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=indent)```\s*?$", re.MULTILINE | re.DOTALL
)
_WORKFLOW: Final = re.compile(r"\A(\s*#.*\n|\s*\n)*workflow:")


class Block(NamedTuple):
    """One code block: its page and line, its language, the settings after the language, and its text."""

    page: Path
    line: int
    language: str
    settings: dict[str, str]
    text: str

    @property
    def is_workflow(self) -> bool:
        """Whether it is a whole workflow file."""
        return self.language == "yaml" and _WORKFLOW.match(self.text) is not None

    @property
    def where(self) -> str:
        """Page and line, as a finding names them."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """List the code blocks of a page in their order."""
    text = page.read_text(encoding="utf-8")
    return [_block(page, text, match) for match in _FENCE.finditer(text)]


def _block(page: Path, text: str, match: re.Match[str]) -> Block:
    language, *settings = match["info"].split() or [""]
    pairs = dict(item.partition("=")[::2] for item in settings)
    indent = len(match["indent"])
    lines = [line[indent:] for line in match["text"].splitlines()]
    return Block(page, text.count("\n", 0, match.start()) + 1, language, pairs, "\n".join(lines) + "\n")


def all_pages() -> list[Path]:
    """Name the pages whose examples must hold."""
    top = [page for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md") if page.exists()]
    return [*top, *sorted((ROOT / "docs").rglob("*.md"))]
