"""Links between pages lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from tests.docs.blocks import all_pages
from tests.house.source import ROOT, listed

_LINK: Final = re.compile(r"(?<!\!)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_CODE: Final = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)
_HEADING: Final = re.compile(r"^#+ (?P<text>.+)$", re.MULTILINE)


def anchors(text: str) -> set[str]:
    """Make the anchors of a page from its headings, as hosts of repositories do."""
    plain = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return {re.sub(r"[^\w\- ]", "", match["text"].lower()).replace(" ", "-") for match in _HEADING.finditer(plain)}


def broken(page: Path) -> list[str]:
    """List the links of a page that lead nowhere; addresses on the network are not asked."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in _LINK.finditer(_CODE.sub("", text)):
        file, _, anchor = match["target"].partition("#")
        if "://" in file or file.startswith("mailto:"):
            continue
        target = (page.parent / file).resolve() if file else page
        if not target.exists():
            found.append(f"{page.relative_to(ROOT)}: {match['target']}: no such file")
        elif anchor and anchor not in anchors(target.read_text(encoding="utf-8")):
            found.append(f"{page.relative_to(ROOT)}: {match['target']}: no such heading")
    return found


@pytest.mark.parametrize("page", all_pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Each link to a file or heading of the repository has its target."""
    found = broken(page)

    assert not found, listed(found)


def test_every_page_can_be_reached() -> None:
    """From README.md one gets to each page of docs/ by links."""
    seen: set[Path] = set()
    todo = [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page in seen or not page.exists():
            continue
        seen.add(page)
        for match in _LINK.finditer(page.read_text(encoding="utf-8")):
            target = (page.parent / match["target"].partition("#")[0]).resolve()
            if target.suffix == ".md":
                todo.append(target)
            elif target.is_dir():
                todo += sorted(target.glob("*.md"))
    lost = [str(page.relative_to(ROOT)) for page in sorted((ROOT / "docs").rglob("*.md")) if page not in seen]

    assert not lost, listed(lost)
