"""`manometer profile`: a file of records becomes a profile, the reference that `input_drift` compares with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final

import click

from engine.decoders import Decoder, StreamSettings, Undecodable
from engine.decoders.json import Json
from engine.events import Message
from engine.findings import did_you_mean, listing, show
from engine.recording.files import open_input
from engine.times import SECOND
from manometer.cli.failure import CommandError, told
from manometer.cli.workflow_file import read_plan
from monitors.stats.learning import FIRST_OF_FILE, Learner, Learning
from monitors.stats.profile import Profile, added, emptied, read_profile, write_profile

_BATCH: Final = 1_000


@click.command("profile")
@click.argument("file", metavar="FILE")
@click.option("--fields", metavar="A,B,...", help="The fields to summarise; without it those of the first record.")
@click.option(
    "--categorical", metavar="X,Y", default="", help="Fields of categories, though they may look like numbers."
)
@click.option("--merge", metavar="PROFILE", help="Count in the bins of this profile, and give both samples together.")
@click.option("--workflow", metavar="WORKFLOW", help="Decode as the streams of this workflow do; needs --stream.")
@click.option("--stream", metavar="STREAM", help="The stream of the workflow whose records FILE holds.")
@click.option("--out", metavar="PROFILE", help="Where the profile goes; standard output if left out.")
def command(**given: str | None) -> None:
    """Summarise a reference sample for drift.

    FILE is a recording, a .jsonl file or a .csv file with a header line, each also as .gz. The profile is JSON without
    any record: of numbers the bins and their counts, moments and missing values, of categories how often each came. A
    field is numeric if most of its values are numbers. One pass, constant memory.

    \b
    Example:
      $ manometer profile train.csv --fields age,city --out reference.json

    What cannot be decoded is left out and counted on standard error.

    Exit codes: 0 done; 2 the file cannot be read, has no records or lacks a field.

    Read next: docs/profiles.md, docs/monitors/input_drift.md
    """  # noqa: D301 - click reads the character that \b stands for
    known = None if given["merge"] is None else _known(Path(given["merge"]))
    decoder = _decoder(given["workflow"], given["stream"])
    with told():
        profile = _profile(str(given["file"]), decoder, _names(given["fields"]), _names(given["categorical"]), known)
        _write(write_profile(profile), given["out"])


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


def _decoder(workflow: str | None, stream: str | None) -> Decoder:
    if (workflow is None) != (stream is None):
        raise CommandError("expected --workflow and --stream together, or neither")
    if workflow is None or stream is None:
        return Json(StreamSettings())
    streams = read_plan(Path(workflow)).streams
    if stream not in streams:
        near = did_you_mean(stream, streams)
        raise CommandError(f"unknown stream {show(stream)}. The workflow has: {listing(streams)}.{near}")
    return streams[stream].decoder


def _known(path: Path) -> Profile:
    with told():
        data = path.read_bytes()
    try:
        return read_profile(data)
    except ValueError as error:
        raise CommandError(f"{path}: {error}") from None


def _profile(
    file: str, decoder: Decoder, fields: tuple[str, ...], categorical: tuple[str, ...], known: Profile | None
) -> Profile:
    read = _Read()
    batches = _batches(file, decoder, read)
    first = next(batches, None)
    if first is None:
        why = f"; the first: {read.refused[0].detail}" if read.refused else ""
        raise CommandError(f"{file}: no record could be read from it{why}")
    names = fields or tuple(known.fields if known is not None else first[0])
    _check(names, categorical, known)
    learning, learner = Learning(), Learner(names, categorical=categorical, first=FIRST_OF_FILE)
    if known is not None:
        learning.fields = [emptied(known.fields[name]) for name in names]
    for batch in chain([first], batches):
        learner.take(learning, batch)
    profile = learner.finish(learning)
    profile.seconds = read.seconds
    if read.refused:
        detail = read.refused[0].detail
        click.echo(
            f"{file}: {len(read.refused)} messages could not be decoded and are left out; first: {detail}", err=True
        )
    if fields or known is not None:
        _check_seen(profile, file, first[0])
    return profile if known is None else added(known, profile)


class _Read:
    """What is known of the records of a file beside their values."""

    def __init__(self) -> None:
        """Begin with none."""
        self.refused: list[Undecodable] = []
        self._times: tuple[int, int] | None = None

    @property
    def seconds(self) -> float | None:
        """From the first event time to the last; None where there is none."""
        return None if self._times is None else (self._times[1] - self._times[0]) / SECOND

    def seen(self, times: Sequence[int]) -> None:
        """Take event times, in any order."""
        if times:
            known = (*times, *(self._times or ()))
            self._times = (min(known), max(known))


def _batches(file: str, decoder: Decoder, read: _Read) -> Iterator[list[Any]]:
    """Give the decoded values of a file; what cannot be decoded is collected."""
    with open_input(file, "profile") as opened:
        for batch in opened.batches(_BATCH):
            messages = [one for one in batch if isinstance(one, Message)]
            values, times = [], []
            for message, one in zip(messages, decoder.decode_all(messages), strict=True):
                if isinstance(one, Undecodable):
                    read.refused.append(one)
                    continue
                values.append(one[2])
                times.append(message.time if one[0] is None else one[0])
            read.seen([time for time in times if time is not None])
            if values:
                yield values


def _check(names: tuple[str, ...], categorical: tuple[str, ...], known: Profile | None) -> None:
    if known is not None and (categorical or set(names) != set(known.fields)):
        raise CommandError(f"with --merge the fields and their kinds are those of the profile: {listing(known.fields)}")
    for name in categorical:
        if name not in names:
            raise CommandError(f"--categorical {show(name)} is none of the fields: {listing(names)}")


def _check_seen(profile: Profile, file: str, first: Mapping[str, Any]) -> None:
    """Refuse a field that was asked for and is nowhere; that of the first record may be empty everywhere."""
    for name, field in profile.fields.items():
        if field.missing == profile.records:
            there = f"The first record has: {listing(first)}.{did_you_mean(name, first)}"
            raise CommandError(f"{file}: no record has the field {show(name)}. {there}")


def _write(text: str, out: str | None) -> None:
    if out is None:
        click.echo(text, nl=False)
    else:
        Path(out).write_text(text, encoding="utf-8")
