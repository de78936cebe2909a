from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.intake.serving import Case


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    """Run a server whose process runs."""
    case = Case(tmp_path, body_bytes=100_000)
    case.embedded.start()
    yield case
    case.close()
