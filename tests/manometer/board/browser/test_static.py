from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from tests.house.source import ROOT, listed

STATIC: Final = ROOT / "manometer" / "board" / "static"
WHOLE: Final = 150_000
"""Bytes of the whole page, with what it is drawn with."""
OWN: Final = [path for path in sorted(STATIC.rglob("*")) if path.is_file() and "vendor" not in path.parts]
DANGEROUS: Final = re.compile(
    r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|setHTMLUnsafe|srcdoc"
    r"|eval|new Function|parseFromString|setAttribute\(\s*[\"']on)\b"
)
"""What makes elements or scripts of a text."""
ELSEWHERE: Final = re.compile(r"(?:https?:)?//(?!www\.w3\.org/)[a-z0-9.-]+\.[a-z]{2,}")
INLINE: Final = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE)


def test_the_whole_page_is_small() -> None:
    """Everything that a browser may fetch of it is below 150 KB together, not packed."""
    sizes = {path: path.stat().st_size for path in STATIC.rglob("*") if path.is_file()}

    assert sum(sizes.values()) < WHOLE, listed(f"{path.name}: {size}" for path, size in sizes.items())


def found(pattern: re.Pattern[str], *suffixes: str) -> list[str]:
    """List where a pattern occurs in files of ours; what stands in comments of scripts counts too."""
    return [
        f"{path.relative_to(STATIC)}:{number}: {line.strip()[:80]}"
        for path in OWN
        if path.suffix in suffixes
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_text_becomes_markup() -> None:
    """Our scripts set what comes from data as text: none of them can make elements or scripts of a text."""
    assert not (places := found(DANGEROUS, ".js")), listed(places)


def test_nothing_stands_inline() -> None:
    """The page has no script, style or handler in its markup, so that its policy can refuse all of them."""
    assert not (places := found(INLINE, ".html")), listed(places)


def test_it_works_offline() -> None:
    """Nothing is fetched from elsewhere: no address of another machine stands in scripts, styles or markup."""
    assert not (places := found(ELSEWHERE, ".js", ".css", ".html")), listed(places)


@pytest.mark.parametrize("word", ["MIT", "Leon Sorokin"])
def test_what_is_not_ours_has_its_licence(word: str) -> None:
    """The licence of uPlot lies beside it."""
    texts = [path.read_text(encoding="utf-8") for path in (STATIC / "vendor").iterdir() if "licen" in path.name.lower()]

    assert any(word in text for text in texts)


def test_its_files_are_not_from_this_machine() -> None:
    """No file of the page is a link to somewhere else."""
    assert not [path for path in Path(STATIC).rglob("*") if path.is_symlink()]
