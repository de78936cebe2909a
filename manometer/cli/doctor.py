"""`manometer doctor`: what is wrong between a workflow and the servers that it needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import msgspec

from engine.clock import SystemClock
from engine.findings import one_line
from engine.plan import Plan
from engine.plugins import builtin_monitors
from manometer.cli.catalogue import OWN
from manometer.cli.doctor_options import login_of, store_of, store_options
from manometer.cli.failure import CommandError
from manometer.cli.kafka_options import connection, security_options
from manometer.cli.workflow_file import read_plan
from manometer.diagnosing.grafana import Login, grafana_lines
from manometer.diagnosing.influxdb import influxdb_lines
from manometer.diagnosing.line import Line
from manometer.reference import catalogue


@click.command("doctor")
@click.argument("workflow", metavar="WORKFLOW")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array of objects: what, ok, told, fix.")
@click.option(
    "--kafka", metavar="HOST:PORT", envvar="MANOMETER_KAFKA", help="Look at this Kafka; several servers with commas."
)
@security_options
@store_options
def command(workflow: str, as_json: bool, **options: Any) -> None:
    """Find what is wrong between a workflow and its servers.

    Each finding comes with what to do. Of Kafka: brokers, layout of the topics, rights to read, clocks, workers, what
    waits and for how long, whether workers run this version of the file. Of InfluxDB: clock, bucket, what each token
    may do and may not, and whether a point that is written comes back; it is taken away again. Of Grafana: whether
    the data source is healthy, and the boards are there.

    \b
    Examples:
      $ manometer doctor workflows/demo.yaml --kafka 127.0.0.1:9092
      $ manometer doctor workflows/demo.yaml --folder secrets \\
          --influxdb http://127.0.0.1:8086 --grafana http://127.0.0.1:3000

    Exit codes: 0 all is well; 1 findings; 2 nothing could be looked at: only Kafka was named, and no broker answers.

    Read next: docs/doctor.md
    """  # noqa: D301 - click reads the character that \b stands for
    plan = read_plan(Path(workflow))
    if not (options["kafka"] or options["influxdb"] or options["grafana"]):
        raise CommandError("nothing to look at: expected --kafka HOST:PORT, --influxdb URL or --grafana URL")
    store, login = store_of(options), login_of(options)
    lines = _of_kafka(plan, options) if options["kafka"] else []
    if store is not None:
        lines += influxdb_lines(store, SystemClock())
    if login is not None:
        lines += _of_grafana(options["grafana"], login)
    click.echo(msgspec.json.format(msgspec.json.encode(lines)) if as_json else "\n".join(map(_shown, lines)))
    if not all(line.ok for line in lines):
        raise click.exceptions.Exit(1)


def _of_kafka(plan: Plan, options: Mapping[str, Any]) -> list[Line]:
    there = connection(options["kafka"], options)
    try:
        from manometer.cli.kafka_asking import asked  # noqa: PLC0415 - an extra that not everybody needs
        from manometer.diagnosing.kafka import diagnosis  # noqa: PLC0415 - as above
    except ModuleNotFoundError as error:
        raise CommandError(f"--kafka: {error.name} is not installed; pip install 'manometer[kafka]'") from error
    try:
        return asked(there, lambda kafka: diagnosis(plan, kafka, SystemClock()))
    except CommandError as error:
        if not (options["influxdb"] or options["grafana"]):
            raise
        return [Line("broker", False, str(error), "start Kafka, or check --kafka")]


def _of_grafana(url: str, login: Login) -> Iterator[Line]:
    from grafana.boards import boards  # noqa: PLC0415 - only where it is asked for
    from grafana.rendering import SOURCE  # noqa: PLC0415 - as above

    wanted = [board.uid for board in boards(catalogue(builtin_monitors(), OWN))]
    return grafana_lines(url, login, SOURCE["uid"], wanted)


def _shown(line: Line) -> str:
    fix = f"; {line.fix}" if line.fix else ""
    return one_line(f"{'fine   ' if line.ok else 'finding'}  {line.what}: {line.told}{fix}")
