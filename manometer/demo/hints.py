"""What to try after the demo: commands that work as they are printed, in the folder where it was run."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

HISTORY: Final = "SELECT at, state, name, engine, summary FROM alert_history ORDER BY at"
NEXT_LINE: Final = " \\\n     "
"""Goes on with a command on a new line, as shells allow."""
_IN_PYTHON: Final = "import sqlite3, sys; [print(*line) for line in sqlite3.connect(sys.argv[1]).execute(sys.argv[2])]"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where the demo was run, and with what."""

    folder: Path
    """The current folder."""
    program: str
    """How the command was called: `sys.argv[0]`."""
    python: str
    which: Callable[[str], str | None]
    """Finds a program, as `shutil.which` does."""

    def path(self, path: Path) -> str:
        """Write a path: the short way, if it lies in the current folder."""
        whole = path if path.is_absolute() else self.folder / path
        return shlex.quote(str(whole.relative_to(self.folder) if whole.is_relative_to(self.folder) else whole))

    def manometer(self) -> str:
        """Write the command so that a shell finds the one that runs now."""
        if Path(self.program).name == "__main__.py":
            return f"{self.path(Path(self.python))} -m manometer"
        found = self.which("manometer")
        if found is not None and Path(found).absolute() == (self.folder / self.program):
            return "manometer"
        return self.path(Path(self.program))


def hints(place: Place, *, store: Path, workflow: Path, recordings: Mapping[str, Path]) -> Iterator[tuple[str, str]]:
    """Give what there is to try: what for, and the command."""
    manometer = place.manometer()
    inputs = NEXT_LINE.join(f"--input {stream}={place.path(path)}" for stream, path in recordings.items())
    reader = "sqlite3" if place.which("sqlite3") else f"{place.path(Path(place.python))} -c {shlex.quote(_IN_PYTHON)}"
    yield "ask the store", f"{reader} {place.path(store)}{NEXT_LINE}{shlex.quote(HISTORY)}"
    yield (
        "see every emission of the day",
        f"{manometer} replay {place.path(workflow)}{NEXT_LINE}{inputs}{NEXT_LINE}--out day.jsonl",
    )
    yield "change the workflow, then see what it finds", f"{manometer} check {place.path(workflow)}"
    yield "write a monitor of your own (docs/tutorial.md)", f"{manometer} new monitor --help"
