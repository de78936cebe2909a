from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.manometer.board.serving import Case, some


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Case]:
    """Serve a board over a store with something in it."""
    case = Case(tmp_path)
    case.sink.write(some())
    yield case
    case.close()
