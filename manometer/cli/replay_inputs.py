"""The inputs of a replay: which stream reads which file, and how many partitions are in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final

from engine.findings import did_you_mean, listing, show
from engine.plan import Plan
from engine.recording.byte_lines import STANDARD_STREAM
from engine.recording.files import Input, open_input
from manometer.cli.failure import CommandError

_FORM: Final = "--input STREAM=FILE"


def named(plan: Plan, given: Iterable[str]) -> dict[str, str]:
    """Read `STREAM=FILE` texts; gives the file of each stream, in their order.

    Raises:
        CommandError: one has another form, names no stream of the workflow, or a stream or stdin comes twice.
    """
    files: dict[str, str] = {}
    for text in given:
        stream, _, file = text.partition("=")
        _check(plan, text, stream, file, files)
        files[stream] = file
    if not files:
        raise CommandError(f"expected {_FORM} at least once. The workflow has: {listing(plan.streams)}.")
    return files


def _check(plan: Plan, text: str, stream: str, file: str, files: Mapping[str, str]) -> None:
    if not stream or not file:
        raise CommandError(f"expected {_FORM}, got {show(text)}")
    if stream not in plan.streams:
        near = did_you_mean(stream, plan.streams)
        raise CommandError(f"unknown stream {show(stream)}. The workflow has: {listing(plan.streams)}.{near}")
    if stream in files:
        raise CommandError(f"two inputs for the stream {show(stream)}; put them into one file, in their order")
    if file == STANDARD_STREAM and STANDARD_STREAM in files.values():
        raise CommandError("standard input can be read for one stream only")


@contextmanager
def opened(plan: Plan, files: Mapping[str, str]) -> Iterator[Sequence[tuple[str, Input]]]:
    """Open the files of streams.

    Raises:
        InputError: one cannot be read.
    """
    with ExitStack() as stack:
        yield [
            (stream, stack.enter_context(open_input(file, plan.streams[stream].topic)))
            for stream, file in files.items()
        ]


def partitions(inputs: Iterable[tuple[str, Input]]) -> dict[str, int]:
    """Count the partitions of each stream's topic: as many as the largest number in its recording needs."""
    return {stream: max(given.partitions(), default=0) + 1 for stream, given in inputs}
