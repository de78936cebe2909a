"""`manometer run`: a workflow, live, in one process."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from engine.clock import SystemClock
from engine.embedded.followed import Followed
from engine.embedded.runner import Embedded
from engine.embedded.store import Store, StoreFailed
from engine.plan import Plan
from engine.telemetry import PARTS_LOST, Reading
from manometer.cli.collecting import collecting_rarely
from manometer.cli.failure import CommandError, what_failed
from manometer.cli.kafka_options import connection, security_options
from manometer.cli.run_again import Asked, listening, rereading
from manometer.cli.run_settings import Settings, check_way, settings_of
from manometer.cli.run_sinks import Sinks
from manometer.cli.workflow_file import read_plan
from manometer.intake.listening import Part
from manometer.intake.server import Server

_LOOK: Final = 0.2
_SWEEP: Final = 60.0
"""Seconds between two times at which parts that all sinks have passed leave the archive."""


@click.command("run")
@click.argument("workflow", metavar="WORKFLOW")
@click.option("--embedded", is_flag=True, help="In one process, with topics in memory and SQLite.")
@click.option("--kafka", metavar="HOST:PORT", help="As one of several workers, on the topics of a Kafka installation.")
@click.option("--data", metavar="DIR", help="Where everything is kept; default NAME.data, by the workflow's name.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8300, show_default=True, type=click.IntRange(0, 65_535), help="Port; 0 takes a free one."
)
@click.option("--token-file", metavar="FILE", help="Holds the token that requests must carry.")
@click.option("--follow", metavar="STREAM=FILE", multiple=True, help="Take the lines that are appended to a file.")
@click.option("--sink", "sinks", metavar="KIND=TARGET", multiple=True, help="Write to a further store as well.")
@click.option("--keep", default="7d", show_default=True, help="How long the archive waits for a sink, at most.")
@click.option("--no-board", is_flag=True, help="Serve no page with the boards.")
@click.option("--view", is_flag=True, help="Show rates, health and alerts on this terminal, live.")
@security_options
def command(workflow: str, embedded: bool, kafka: str | None, data: str | None, **options: Any) -> None:
    """Run a workflow live, in one process or on Kafka.

    It takes messages, keeps states, and writes metrics and alerts. Messages come by POST to /topics/TOPIC: JSON, a
    JSON array, or JSON lines. The answer comes when they are safe on the disk. DIR/archive.db has all metrics and
    alerts, for SQL and boards. A restart goes on where it was; after kill -9 too. SIGTERM and Ctrl-C end it in order.

    \b
    Examples:
      $ manometer run workflows/demo.yaml --embedded
      $ curl -H 'Content-Type: application/x-ndjson' \\
          --data-binary @reports.jsonl http://127.0.0.1:8300/topics/notify
      $ manometer run workflows/demo.yaml --embedded \\
          --sink webhook=https://example.com/alerts
      $ manometer run workflows/demo.yaml --kafka 127.0.0.1:9092

    The same address shows the boards in a browser. GET /healthz, /readyz and /metrics tell how it is doing.

    Exit codes: 0 it was stopped; 2 it could not start, or had to end: the disk is full, for example.

    Read next: docs/run-embedded.md, docs/board.md, docs/run-kafka.md, docs/intake.md
    """  # noqa: D301 - click reads the character that \b stands for
    check_way(embedded, kafka, {"data": data, **options})
    plan = read_plan(Path(workflow))
    settings = settings_of(plan, Path(workflow), data, options)
    reread = rereading(Path(workflow), data, options)
    if kafka is not None:
        from manometer.cli.run_kafka import run_kafka  # noqa: PLC0415 - an extra that embedded users do not need

        run_kafka(plan, connection(kafka, options), settings, reread)
        return
    try:
        with collecting_rarely(), closing(Store(settings.data)) as store, listening(reread) as asked:
            following: Plan | None = plan
            while following is not None:
                following, settings = _run(following, settings, store, asked)
    except StoreFailed as error:
        raise CommandError(str(error)) from error


def _run(plan: Plan, settings: Settings, store: Store, asked: Asked) -> tuple[Plan | None, Settings]:
    """Start everything, wait until it is to end, and end it in the opposite order; gives what to go on with."""
    clock = SystemClock()
    lost = [0]
    with ExitStack() as running:
        sinks = Sinks(settings.data / "archive.db", settings.sinks, store)
        running.callback(sinks.close)

        def more() -> list[Reading]:
            return [*sinks.readings(), Reading(PARTS_LOST, lost[0], {})]

        embedded = Embedded(plan, store, clock=clock, process=platform.node() or "embedded", more=more)
        running.callback(embedded.close, 5.0)
        embedded.start()
        sinks.start()
        followed = _follow(plan, settings, store, embedded)
        for one in followed:
            one.start()
            running.callback(one.close)

        def ready() -> list[str]:
            found = [embedded.trouble, embedded.alive(), *(one.trouble for one in followed)]
            return [*filter(None, found), *sinks.broken()]

        beside = running.enter_context(_board(plan, settings))
        server = Server(embedded, settings.access, settings.port, ready=ready, beside=beside)
        port = _listen(server, settings)
        running.callback(server.close)
        _greet(embedded, settings, port)
        look = running.enter_context(_view(embedded, settings, port)) if settings.view else None
        for _ in _until_stopped(embedded, look, asked):
            with suppress(StoreFailed):  # the runner finds out by itself, and has more patience
                lost[0] += store.drop_passed(sinks.names, clock.now() - settings.keep)[1]
    if embedded.ended.done():
        embedded.ended.result()
    return asked.following, msgspec.structs.replace(settings, port=port)


def _follow(plan: Plan, settings: Settings, store: Store, embedded: Embedded) -> list[Followed]:
    places = store.places()
    return [
        Followed((stream, plan.streams[stream].topic), path, embedded.deliver, place=places.get((stream, str(path))))
        for stream, path in settings.follow
    ]


@contextmanager
def _board(plan: Plan, settings: Settings) -> Iterator[list[Part]]:
    if not settings.board:
        yield []
        return
    from manometer.cli.run_board import board_paths  # noqa: PLC0415 - a worker on Kafka has none

    with board_paths(plan, settings) as paths:
        yield [paths]


def _listen(server: Server, settings: Settings) -> int:
    try:
        return server.start()
    except OSError as error:
        place = f"{settings.access.host}:{settings.port}"
        raise CommandError(f"{place}: cannot listen: {what_failed(error)}; choose another --port") from error


def _greet(embedded: Embedded, settings: Settings, port: int) -> None:
    topics = ", ".join(embedded.topics)
    address = settings.access.address(port)
    if settings.board:
        click.echo(f"the board: {address}/", err=True)
    click.echo(f"{embedded.plan.workflow} runs: POST {address}/topics/TOPIC (there are: {topics})", err=True)
    click.echo(f"metrics and alerts: {settings.data / 'archive.db'}; to end: Ctrl-C", err=True)


def _view(embedded: Embedded, settings: Settings, port: int) -> AbstractContextManager[Callable[[], None]]:
    from rich.console import Console  # noqa: PLC0415 - only on a terminal

    from manometer.view.watching import watching  # noqa: PLC0415 - as above

    return watching(embedded, Console(), settings.access.address(port))


def _until_stopped(embedded: Embedded, look: Callable[[], None] | None, asked: Asked) -> Iterator[None]:
    """Come round once a minute until a signal comes or the runner has ended."""
    swept = time.monotonic()
    while not asked.ended(embedded.plan) and not embedded.ended.done():
        time.sleep(_LOOK)
        if look is not None:
            look()
        if time.monotonic() - swept >= _SWEEP:
            swept = time.monotonic()
            yield
