"""`manometer profile`: a file of records becomes a profile, the reference that `input_drift` compares with."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Final

import click

from engine.decoders import Decoder, StreamSettings, Undecodable
from engine.decoders.json import Json
from engine.events import Message
from engine.findings import did_you_mean, listing, show
from engine.recording.files import open_input
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
    refused: list[Undecodable] = []
    batches = _batches(file, decoder, refused)
    first = next(batches, None)
    if first is None:
        why = f"; the first: {refused[0].detail}" if refused else ""
        raise CommandError(f"{file}: no record could be read from it{why}")
    names = fields or tuple(known.fields if known is not None else first[0])
    _check(names, categorical, known)
    learning, learner = Learning(), Learner(names, categorical=categorical, first=FIRST_OF_FILE)
    if known is not None:
        learning.fields = [emptied(known.fields[name]) for name in names]
    for batch in chain([first], batches):
        learner.take(learning, batch)
    profile = learner.finish(learning)
    if refused:
        detail = refused[0].detail
        click.echo(f"{file}: {len(refused)} messages could not be decoded and are left out; first: {detail}", err=True)
    _check_seen(profile, file)
    return profile if known is None else added(known, profile)


def _batches(file: str, decoder: Decoder, refused: list[Undecodable]) -> Iterator[list[Any]]:
    """Give the decoded values of a file; what cannot be decoded is collected."""
    with open_input(file, "profile") as opened:
        for batch in opened.batches(_BATCH):
            decoded = decoder.decode_all([one for one in batch if isinstance(one, Message)])
            refused += [one for one in decoded if isinstance(one, Undecodable)]
            values = [one[2] for one in decoded if not isinstance(one, Undecodable)]
            if values:
                yield values


def _check(names: tuple[str, ...], categorical: tuple[str, ...], known: Profile | None) -> None:
    if known is not None and (categorical or set(names) != set(known.fields)):
        raise CommandError(f"with --merge the fields and their kinds are those of the profile: {listing(known.fields)}")
    for name in categorical:
        if name not in names:
            raise CommandError(f"--categorical {show(name)} is none of the fields: {listing(names)}")


def _check_seen(profile: Profile, file: str) -> None:
    for name, field in profile.fields.items():
        if field.missing == profile.records:
            raise CommandError(f"{file}: no record has the field {show(name)}")


def _write(text: str, out: str | None) -> None:
    if out is None:
        click.echo(text, nl=False)
    else:
        Path(out).write_text(text, encoding="utf-8")
