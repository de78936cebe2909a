"""The files of the page, read once: bytes, packed bytes, type and a hash of the content."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

TYPES: Final[Mapping[str, str]] = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
"""Ending -> type; other files are not served."""
PAGE: Final = "index.html"


class StaticFile(msgspec.Struct, frozen=True):
    """One file."""

    data: bytes
    packed: bytes
    """The same as gzip."""
    type: str
    tag: str
    """For `ETag`: differs whenever the content does."""


def static_files(folder: Path) -> dict[str, StaticFile]:
    """Read the files of a folder, by their names below it with slashes."""
    return {
        path.relative_to(folder).as_posix(): static_file(path.read_bytes(), TYPES[path.suffix])
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in TYPES
    }


def static_file(data: bytes, kind: str) -> StaticFile:
    """Make one of its content."""
    return StaticFile(data, gzip.compress(data, 9, mtime=0), kind, f'"{hashlib.sha256(data).hexdigest()[:16]}"')
