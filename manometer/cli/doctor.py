"""`manometer doctor`: what is wrong between a workflow and its Kafka."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from engine.clock import SystemClock
from engine.findings import one_line
from manometer.cli.kafka_asking import asked
from manometer.cli.kafka_options import connection, kafka_options
from manometer.cli.workflow_file import read_plan
from manometer.diagnosis import Line, diagnosis


@click.command("doctor")
@click.argument("workflow", metavar="WORKFLOW")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array of objects: what, ok, told, fix.")
@kafka_options
def command(workflow: str, kafka: str, as_json: bool, **options: Any) -> None:
    """Find what is wrong between a workflow and Kafka.

    Each finding comes with what to do. Looked at are the brokers, the layout of the topics, the rights to read, clocks,
    the workers of the group, what waits and for how long, and whether workers run this version of the file. Nothing is
    written.

    \b
    Example:
      $ manometer doctor workflows/demo.yaml --kafka 127.0.0.1:9092

    Exit codes: 0 all is well; 1 findings; 2 the broker cannot be reached.

    Read next: docs/doctor.md
    """  # noqa: D301 - click reads the character that \b stands for
    plan = read_plan(Path(workflow))
    lines = asked(connection(kafka, options), lambda there: diagnosis(plan, there, SystemClock()))
    click.echo(msgspec.json.format(msgspec.json.encode(lines)) if as_json else "\n".join(map(_shown, lines)))
    if not all(line.ok for line in lines):
        raise click.exceptions.Exit(1)


def _shown(line: Line) -> str:
    fix = f"; {line.fix}" if line.fix else ""
    return one_line(f"{'fine   ' if line.ok else 'finding'}  {line.what}: {line.told}{fix}")
