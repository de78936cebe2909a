"""Files with one secret each, in a folder for each process that reads them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_PRIVATE: Final = (0o700, 0o600)
_SHARED: Final = (0o755, 0o444)
"""Modes of folders and files: a volume that containers with users of their own mount is guarded by who mounts it."""


def keep(file: Path, secret: str, *, shared: bool) -> None:
    """Write a secret, whole or not at all; what the file held before is replaced.

    Args:
        file: its folder is made where there is none.
        secret: one line; no line end is written, so that readers need to know of none.
        shared: readable for all users of the machine, not only for this one.

    Raises:
        OSError: it cannot be written.
    """
    folder_mode, mode = _SHARED if shared else _PRIVATE
    if not file.parent.is_dir():
        file.parent.mkdir(parents=True, mode=folder_mode)
    part = file.with_name(f"{file.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="ascii") as out:
        out.write(secret)
        out.flush()
        os.fsync(out.fileno())
    part.chmod(mode)  # the mask of the process may have taken something away
    part.replace(file)


def kept(file: Path) -> str | None:
    """Read a secret; None where there is none.

    Raises:
        OSError: it cannot be read.
    """
    try:
        return file.read_text(encoding="ascii").strip() or None
    except FileNotFoundError:
        return None
