"""Where `manometer rejects` finds them: on the rejects topic, or in the folder of an embedded process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from engine.clock import Clock
from engine.embedded.store import StoreFailed, kept_rejects
from engine.events import Reject
from engine.plan import Plan
from engine.times import parse_duration, parse_time
from manometer.cli.failure import CommandError
from manometer.cli.kafka_options import one_place, place_options
from manometer.rejects import REASONS, Identity, Wanted, parse

_CHOICE = (
    click.option("--reason", type=click.Choice(REASONS), help="Only those with this reason."),
    click.option("--monitor", metavar="NAME", help="Only those on which this monitor failed."),
    click.option("--topic", metavar="TOPIC", help="Only those of this topic."),
    click.option(
        "--since", metavar="TIME", help="Only messages from then on: 2026-01-31T12:00:00Z, or 2h for 2 hours ago."
    ),
    click.option("--until", metavar="TIME", help="Only messages before then."),
    place_options,
)


def source_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say where rejects are, and which of them are meant."""
    for option in reversed(_CHOICE):
        command = option(command)
    return command


def wanted(identities: tuple[str, ...], options: Mapping[str, Any], clock: Clock) -> Wanted:
    """Read which rejects are meant.

    Raises:
        CommandError: a name or a time is none.
    """
    return Wanted(
        identities=tuple(map(_identity, identities)),
        reason=options["reason"],
        monitor=options["monitor"],
        topic=options["topic"],
        since=_time("--since", options["since"], clock),
        until=_time("--until", options["until"], clock),
    )


def _identity(text: str) -> Identity:
    try:
        return parse(text)
    except ValueError as error:
        raise CommandError(str(error)) from error


def _time(option: str, text: str | None, clock: Clock) -> int | None:
    if text is None:
        return None
    try:
        return parse_time(text) if "-" in text else clock.now() - parse_duration(text)
    except ValueError as error:
        raise CommandError(f"{option} {text}: {error}") from error


def each(plan: Plan, options: Mapping[str, Any], visit: Callable[[Reject], None]) -> None:
    """Show all rejects to `visit`, in the order in which they lie there.

    Raises:
        CommandError: they cannot be read.
    """
    connection = one_place(options)
    if connection is None:
        _from_folder(Path(options["data"]), visit)
        return
    from manometer.cli.kafka_asking import asked  # noqa: PLC0415 - an extra that embedded users do not need
    from manometer.on_kafka import rejected  # noqa: PLC0415 - as above

    async def visited(kafka: Any) -> None:
        async for reject in rejected(plan, kafka):
            visit(reject)

    asked(connection, visited)


def _from_folder(folder: Path, visit: Callable[[Reject], None]) -> None:
    try:
        for _, reject in kept_rejects(folder):
            visit(reject)
    except StoreFailed as error:
        raise CommandError(f"--data {folder}: {error}") from error
