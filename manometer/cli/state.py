"""`manometer state`: what the monitors of a workflow remember."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from engine.embedded.kept import kept_states
from engine.embedded.store import StoreFailed
from engine.findings import did_you_mean, listing, one_line
from engine.plan import Plan
from manometer.cli.columns import columns
from manometer.cli.failure import CommandError
from manometer.cli.kafka_options import one_place, place_options
from manometer.cli.workflow_file import read_plan
from manometer.states import Saved, held, read_states, series_of, whole


@click.command("state")
@click.argument("workflow", metavar="WORKFLOW")
@click.argument("monitor", metavar="[MONITOR]", required=False)
@click.argument("key", metavar="[KEY]...", nargs=-1)
@click.option(
    "--limit", type=click.IntRange(1), default=100, show_default=True, help="Print so many series at most, the largest."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array of objects.")
@place_options
def command(
    workflow: str, monitor: str | None, key: tuple[str, ...], limit: int, as_json: bool, **options: Any
) -> None:
    """Show what the monitors of a workflow remember.

    It is that of the last checkpoints. Without MONITOR: how many series each has, and how large they are. With it: its
    series, the largest first; with the parts of a KEY those that begin so, and where only one does, its state in the
    words of the monitor.

    \b
    Examples:
      $ manometer state workflows/demo.yaml --kafka 127.0.0.1:9092
      $ manometer state workflows/demo.yaml throughput taxi-1 0 --data demo.data

    Exit codes: 0 shown; 1 there is no such series; 2 states cannot be read, or no monitor has this name.

    Read next: docs/kafka-topics.md
    """  # noqa: D301 - click reads the character that \b stands for
    plan = read_plan(Path(workflow))
    names = [attached.name for attached in plan.monitors]
    if monitor is not None and monitor not in names:
        hint = did_you_mean(monitor, names)
        raise CommandError(f"no monitor of {workflow} is called {monitor!r}.{hint} There are: {listing(names)}")
    states = _states(plan, options)
    if monitor is None:
        _tell_all(states, as_json=as_json)
        return
    found = series_of(states, monitor, key)
    if not found:
        click.echo(one_line(f"{' '.join((monitor, *key))}: there is no such series"), err=True)
        raise click.exceptions.Exit(1)
    _tell(plan, found[:limit], as_json=as_json)
    if len(found) > limit:
        click.echo(f"{len(found) - limit} more are not shown; see --limit", err=True)


def _states(plan: Plan, options: dict[str, Any]) -> list[Saved]:
    connection = one_place(options)
    if connection is None:
        try:
            return list(read_states(kept_states(Path(options["data"]))))
        except StoreFailed as error:
            raise CommandError(f"--data {options['data']}: {error}") from error
    from manometer.cli.kafka_asking import asked  # noqa: PLC0415 - an extra that embedded users do not need
    from manometer.on_kafka import saved  # noqa: PLC0415 - as above

    return asked(connection, lambda kafka: saved(plan, kafka))


def _tell_all(states: list[Saved], *, as_json: bool) -> None:
    found = held(states)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found)))
        return
    lines = [(one.group, one.partition, one.what, one.records, one.bytes, one.largest) for one in found]
    click.echo(columns(("group", "partition", "monitor", "records", "bytes", "largest"), lines))


def _tell(plan: Plan, found: list[Saved], *, as_json: bool) -> None:
    try:
        if as_json or len(found) == 1:
            shown: Any = [whole(plan, one) for one in found]
            click.echo(msgspec.json.format(msgspec.json.encode(shown if as_json else shown[0])))
            return
    except ValueError as error:
        raise CommandError(str(error)) from error
    lines = [(" ".join(one.parts[1:]), one.group, one.partition, len(one.data)) for one in found]
    click.echo(columns(("series", "group", "partition", "bytes"), lines))
