"""What lies in the folder of an embedded process, which may be running: for people and audits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from engine.embedded.store import kept

_ARCHIVE: Final = 'SELECT seq, "group", topic, partition, first, last, part, parts, data FROM archive ORDER BY seq'


def kept_archive(folder: Path) -> Iterator[tuple[Any, ...]]:
    """Read the archive: position, group, topic, partition, first, last, part, parts and data.

    Raises:
        StoreFailed: there is no such folder, or what is in it cannot be read.
    """
    return kept(folder, _ARCHIVE)


def kept_states(folder: Path) -> Iterator[tuple[int, bytes, bytes]]:
    """Read the states likewise: partition, name and data."""
    return kept(folder, "SELECT partition, name, data FROM states")


def kept_offsets(folder: Path) -> dict[str, int]:
    """Read the next offset of each topic likewise."""
    return dict(kept(folder, "SELECT topic, next FROM topics"))


def kept_positions(folder: Path) -> dict[str, int]:
    """Read how far each sink has come in the archive likewise."""
    return dict(kept(folder, "SELECT sink, seq FROM positions"))
