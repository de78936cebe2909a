"""Where the emissions and rejects of a replay go: files that appear when they are whole, standard output, a store."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

import msgspec

from archiver.sink import Sink
from engine.events import Emission, Message, Reject, encode_lines
from engine.outcome import Outcome
from engine.recording.byte_lines import STANDARD_STREAM
from engine.recording.lines import write_message
from engine.recording.writer import whole_file
from manometer.cli.failure import CommandError, what_failed

STORE_BATCH: Final = 20_000
"""Emissions in one transaction of the store."""


class Targets(msgspec.Struct, frozen=True, kw_only=True):
    """The files that a replay writes, as they were named; `-` is standard output."""

    out: str | None
    rejects: str | None
    store: str | None

    def check(self, inputs: Iterable[str]) -> None:
        """See that every file has a name, and that none is named for two things.

        Raises:
            CommandError: one has none, or is.
        """
        seen = {_place(path): "the workflow or an input" for path in inputs if path != STANDARD_STREAM}
        for option, path in (("--out", self.out), ("--rejects", self.rejects), ("--store", self.store)):
            if path == "":
                raise CommandError(f"expected a file name after {option}, got nothing")
            place = None if path is None else _place(path)
            if place is not None and place in seen:
                raise CommandError(f"{option} {path} is {seen[place]} as well; choose another file")
            seen[place] = option


def _place(path: str) -> str | None:
    """Tell files apart whatever they are called; None for pipes and devices, which may be named twice."""
    if path == STANDARD_STREAM:
        return path
    return None if _is_special(path) else os.path.realpath(path)


class Results:
    """Takes the outcomes of a replay; use it in a `with` block.

    Files get their names when the block ends without an error, so none is ever half-written. The store is written in
    batches: it may hold a part of a replay that failed, and the same replay again completes it.
    """

    def __init__(self, targets: Targets) -> None:
        """Open everything, so that what cannot be written is told before the work begins.

        Raises:
            CommandError: something cannot be written.
        """
        self._open = ExitStack()
        self._waiting: list[Emission] = []
        self.refused = 0
        """Emissions that the store will never take."""
        with ExitStack() as undo:
            undo.enter_context(self._open)
            self._out = self._file(targets.out)
            self._rejects = self._file(targets.rejects)
            self._store = None if targets.store is None else self._sink(targets.store)
            undo.pop_all()

    def take(self, outcome: Outcome) -> None:
        """Write what one batch gave."""
        emissions = outcome.emissions
        if self._out is not None and emissions:
            self._out.write(encode_lines(emissions))
        if self._store is not None:
            self._waiting += emissions
            if len(self._waiting) >= STORE_BATCH:
                self._write(self._store)
        if self._rejects is not None:
            for reject in outcome.rejects:
                self._rejects.write(write_message(as_recorded(reject)))

    def finish(self) -> None:
        """Write to the store what is left."""
        if self._store is not None:
            self._write(self._store)

    def _write(self, store: Sink) -> None:
        self.refused += len(store.write(self._waiting))
        self._waiting.clear()

    def _file(self, path: str | None) -> BinaryIO | None:
        if path is None:
            return None
        try:
            return self._open.enter_context(_opened(path))
        except (OSError, ValueError) as error:
            reason = what_failed(error) if isinstance(error, OSError) else str(error)
            raise CommandError(f"{path}: cannot be written: {reason}") from None

    def _sink(self, path: str) -> Sink:
        from archiver.sinks.sqlite import SqliteSink  # noqa: PLC0415 - only with --store

        sink = SqliteSink(path)
        self._open.callback(sink.close)
        return sink

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)


def _opened(path: str) -> AbstractContextManager[BinaryIO]:
    """Open a file that appears when it is whole; pipes and devices are written straight."""
    return Path(path).open("wb") if path != STANDARD_STREAM and _is_special(path) else whole_file(path)


def _is_special(path: str) -> bool:
    return Path(path).exists() and not Path(path).is_file()


def as_recorded(reject: Reject) -> Message:
    """Give the message of a reject with the headers of the rejects topic.

    Its own headers come first; one with a name of ours is left out, as it tells of an earlier reject.
    """
    message = reject.message
    ours = reject.headers()
    kept = [(name, value) for name, value in message.headers if name not in ours]
    added = [(name, text.encode("utf-8", "backslashreplace")) for name, text in ours.items()]
    return msgspec.structs.replace(message, headers=(*kept, *added))
