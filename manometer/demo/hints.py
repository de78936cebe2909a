"""What to try after the demo: commands that work as they are printed, in the folder where it was run."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from manometer.demo import half_year
from manometer.resources import resource

HISTORY: Final = "SELECT at, state, name, engine, summary FROM alert_history ORDER BY at"
REJECTS: Final = "SELECT topic, reason, detail, value FROM rejects LIMIT 10"
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
    yield "see it in the browser", f"{manometer} board {place.path(store)}"
    yield "ask the store", _query(place, store, HISTORY)
    yield "see every emission of the day", _replay(place, workflow, recordings, "day.jsonl")
    yield "change the workflow, then see what it finds", f"{manometer} check {place.path(workflow)}"
    yield "write a monitor of your own (docs/tutorial.md)", f"{manometer} new monitor --help"


def live_hints(
    place: Place, *, data: Path, workflow: Path, recordings: Mapping[str, Path]
) -> Iterator[tuple[str, str]]:
    """Give what there is to try after the live demo."""
    manometer, file = place.manometer(), place.path(workflow)
    yield "see it in the browser again", f"{manometer} board {place.path(data / 'archive.db')}"
    if (data / half_year.FILE).exists():
        yield "see the half year of forecasts in the browser", f"{manometer} board {place.path(data / half_year.FILE)}"
    yield "ask the archive when what fired", _query(place, data / "archive.db", HISTORY)
    yield "see what was rejected, and why", _query(place, data / "state.db", REJECTS)
    if recordings:
        yield "replay what was recorded", _replay(place, workflow, recordings, "again.jsonl")
    else:
        yield "keep everything that is sent, to replay it", f"{manometer} demo --record recordings"
    yield "run the workflow without the demo, and send to it", f"{manometer} run {file} --embedded"
    yield (
        "replay half a year of forecasts (docs/forecast.md says what they mean)",
        _replay(place, resource(half_year.WORKFLOW), half_year.recordings(), "forecast.jsonl"),
    )
    yield "see a whole day of nine engines in seconds", f"{manometer} demo --replay"
    yield "read on", "docs/demo.md, docs/forecast.md, docs/tutorial.md"


def _replay(place: Place, workflow: Path, recordings: Mapping[str, Path], out: str) -> str:
    inputs = NEXT_LINE.join(f"--input {stream}={place.path(path)}" for stream, path in recordings.items())
    return f"{place.manometer()} replay {place.path(workflow)}{NEXT_LINE}{inputs}{NEXT_LINE}--out {out}"


def _query(place: Place, file: Path, query: str) -> str:
    """Write a command that asks a SQLite file."""
    reader = "sqlite3" if place.which("sqlite3") else f"{place.path(Path(place.python))} -c {shlex.quote(_IN_PYTHON)}"
    return f"{reader} {place.path(file)}{NEXT_LINE}{shlex.quote(query)}"
