"""Files beside the workflow file that the options of a monitor name: read here, so that monitors open none."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from engine.findings import Notes
from engine.monitor import Monitor
from engine.nodes import Map, place

FILE_BYTES: Final = 64 * 1_048_576


def take_files(monitor: Monitor, options: Map, path: str, *, beside: Path | None, notes: Notes) -> bool:
    """Give a monitor the files that its options name; False where one cannot be used, which is noted."""
    whole = True
    for option in monitor.files:
        name = getattr(monitor.options, option, None)
        if beside is None or name is None:
            continue
        file = beside / name
        try:
            monitor.take_file(option, read_file(file))
        except ValueError as error:
            found, said = place(options, path, (option,)), str(error)
            notes.error(found.line, found.path, said if str(file) in said else f"{file}: {said}")
            whole = False
    return whole


def tell_doubts(monitor: Monitor, options: Map, path: str, *, notes: Notes) -> None:
    """Note what a monitor doubts of its options."""
    for option, sentence in monitor.doubts():
        found = place(options, path, (option,))
        notes.warn(found.line, found.path, sentence)


def read_file(path: Path) -> bytes:
    """Read a file.

    Raises:
        ValueError: it is not there, cannot be read, or is too large.
    """
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES + 1)
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror or error}") from None
    if len(data) > FILE_BYTES:
        raise ValueError(f"{path} is larger than {FILE_BYTES} bytes")
    return data
