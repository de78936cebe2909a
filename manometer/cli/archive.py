"""`manometer archive`: from the archive topic of a workflow into stores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from manometer.cli.failure import CommandError
from manometer.cli.kafka_options import connection, kafka_options
from manometer.cli.token_file import read_token
from manometer.cli.workflow_file import read_plan
from manometer.intake.access import Access, is_loopback
from manometer.sinks import SinkMistake, SinkSpec, parse_sinks


@click.command("archive")
@click.argument("workflow", metavar="WORKFLOW")
@click.option(
    "--sink", "sinks", metavar="KIND=TARGET", multiple=True, required=True, help="A store to write to; may be repeated."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8301, show_default=True, type=click.IntRange(0, 65_535), help="Port; 0 takes a free one."
)
@click.option("--token-file", metavar="FILE", help="Holds the token that requests must carry.")
@kafka_options
def command(workflow: str, sinks: tuple[str, ...], kafka: str, host: str, port: int, **options: Any) -> None:
    """Write the archive topic of a workflow to stores.

    Each goes at its own pace. Each sink is a consumer group of its own: it commits what its store has taken. A store
    that is away, or full, delays only itself, for as long as the topic keeps what waits. What a store will never take
    goes to the rejects topic with the store's own reason. Several processes with the same sinks share the work.

    \b
    Examples:
      $ manometer archive workflows/demo.yaml --kafka 127.0.0.1:9092 \\
          --sink sqlite=archive.db
      $ manometer archive workflows/demo.yaml --kafka 127.0.0.1:9092 \\
          --sink influxdb=http://127.0.0.1:8086,org=o,bucket=b,token-file=TOKEN

    GET /healthz, /readyz and /metrics tell how it is doing. SIGTERM and Ctrl-C end it in order.

    Exit codes: 0 it was stopped; 2 it could not start: a sink that is not understood, no such topic.

    Read next: docs/archive.md
    """  # noqa: D301 - click reads the character that \b stands for
    plan = read_plan(Path(workflow))
    specs = _specs(sinks)
    if options["token_file"] is None and not is_loopback(host):
        raise CommandError(f"--host {host}: everyone on the network could ask; give --token-file FILE as well")
    access = Access(host, None if options["token_file"] is None else read_token(Path(options["token_file"])))
    there = connection(kafka, options)
    try:
        from manometer.cli.archive_kafka import archive  # noqa: PLC0415 - an extra that embedded users do not need
    except ModuleNotFoundError as error:
        raise CommandError(f"--kafka: {error.name} is not installed; pip install 'manometer[kafka]'") from error
    archive(plan, there, specs, access, port)


def _specs(sinks: tuple[str, ...]) -> list[SinkSpec]:
    try:
        return parse_sinks(sinks)
    except SinkMistake as error:
        raise CommandError(f"--sink: {error}") from None
