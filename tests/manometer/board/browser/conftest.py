from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.house.source import ROOT
from tests.manometer.board.browser.looking import Looks, looks
from tests.manometer.board.browser.serving import Board
from tests.manometer.board.browser.stored import recorded_days


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a store with what the recorded days emit, ended now; nobody writes to it."""
    return recorded_days(tmp_path_factory.mktemp("stored"))


@pytest.fixture(scope="session")
def board(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """Show that store."""
    day = str(ROOT / "workflows" / "day.yaml")
    found = Board(store, tmp_path_factory.mktemp("served"), "--workflow", day)
    found.start()
    yield found
    found.stop()


@pytest.fixture
def look(browser: Browser) -> Iterator[Looks]:
    """Open pages; a page that complains of anything fails the test."""
    with looks(browser) as found:
        yield found
