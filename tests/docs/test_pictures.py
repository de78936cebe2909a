"""The pictures of the monitors' pages are what the monitors say of the data today."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

import pytest

from tests.house.source import ROOT
from tools import draw_monitors
from tools.draw_monitors import OF_LATENCY, PAGES, VIEWS

SHARED: Final = Path(os.environ.get("MANOMETER_SHARED_DATA") or ROOT.parent / "shared" / "data")
SIZE: Final = 8_000
"""Bytes that a picture may have."""


def test_pictures_of_the_forecast_are_up_to_date() -> None:
    """Drawn again they are the same; `python -m tools.draw_monitors` writes them."""
    drawn = dict(draw_monitors.pictures(None))

    assert drawn == {name: (PAGES / name).read_text(encoding="utf-8") for name in drawn}
    assert len(drawn) == len(VIEWS)


@pytest.mark.skipif(
    not SHARED.is_dir() and not os.environ.get("CI"), reason="set MANOMETER_SHARED_DATA to the folder of shared data"
)
def test_the_picture_of_the_latency_is_up_to_date() -> None:
    """Drawn again it is the same; it needs data that are not in the repository."""
    emissions = draw_monitors.database(SHARED / "azure-vm-noise" / draw_monitors.DATABASE)

    assert draw_monitors.picture(OF_LATENCY, emissions) == (PAGES / "prediction_latency.svg").read_text("utf-8")


@pytest.mark.parametrize("view", [*VIEWS, OF_LATENCY], ids=lambda view: view.page)
def test_each_page_shows_its_picture(view: draw_monitors.View) -> None:
    """With words for those who do not see it; the picture is small and has its title inside."""
    page = (PAGES / f"{view.page}.md").read_text(encoding="utf-8")
    text = (PAGES / f"{view.page}.svg").read_text(encoding="utf-8")
    title = ET.fromstring(text).find("{http://www.w3.org/2000/svg}title")  # noqa: S314 - our own file

    assert re.search(rf"!\[[^\]]{{40,}}\]\({view.page}\.svg\)", page)
    assert title is not None
    assert title.text == view.title
    assert len(text) < SIZE
    assert "prefers-color-scheme:dark" in text
