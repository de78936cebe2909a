"""What the tests of recordings share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.recording.reading import Write


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file of these bytes and give its name."""

    def written(name: str, data: bytes) -> str:
        path = tmp_path / name
        path.write_bytes(data)
        return str(path)

    return written
