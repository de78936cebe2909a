from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from playwright.sync_api import Browser

from tests.house.source import ROOT
from tools.board_pictures import FOLDER, SHOTS
from tools.palette import decoded, smaller

SIZE: Final = 150_000
"""Bytes that a picture may have."""
NAMES: Final = [f"board-{shot.name}-{scheme}.png" for shot in SHOTS for scheme in ("light", "dark")]


@pytest.mark.parametrize("name", NAMES)
def test_there_is_a_picture_of_each_board(name: str) -> None:
    """Light and dark, and small; `make pictures` takes them."""
    png = (FOLDER / name).read_bytes()
    (shot,) = [shot for shot in SHOTS if name.startswith(f"board-{shot.name}-")]

    assert len(png) < SIZE
    assert int.from_bytes(png[16:20], "big") == shot.width


def test_every_picture_is_shown_on_a_page() -> None:
    """No picture lies there for nothing, and none is shown that is not there."""
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    shown = {name for page in pages for name in re.findall(r"board-[a-z-]+\.png", page.read_text("utf-8"))}

    assert shown == {path.name for path in Path(FOLDER).glob("*.png")}


def test_a_smaller_picture_is_the_same_to_the_eye(browser: Browser) -> None:
    """Frequent colours stay exactly what they are, the others are close, and a rare one is not lost among greys."""
    page = browser.new_page(viewport={"width": 300, "height": 200})
    page.set_content(
        "<body style='margin:0;background:linear-gradient(90deg,#101820,#406080)'>"
        "<p style='font:16px sans-serif;background:#fff;margin:0'>Words on white</p>"
        "<i style='display:block;width:3px;height:3px;background:#e00'></i>"
    )
    png = page.screenshot()
    page.close()

    before, after = decoded(png).astype(int), _seen(browser, smaller(png)).astype(int)

    far = np.abs(before - after).max(axis=2)
    assert far.max() <= 24
    assert not far[before.min(axis=2) == 255].any()
    assert len(smaller(png)) < len(png)


def _seen(browser: Browser, png: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Let the browser read a picture; gives what it shows."""
    page = browser.new_page(viewport={"width": 300, "height": 200})
    page.set_content("<body style='margin:0'><img style='display:block' id=shown>")
    page.evaluate("(bytes) => { shown.src = URL.createObjectURL(new Blob([new Uint8Array(bytes)])) }", [*png])
    page.wait_for_function("shown.complete && shown.naturalWidth > 0")
    found = decoded(page.screenshot())
    page.close()
    return found
