"""`manometer archive`, where the packages for Kafka are installed: sinks that follow the archive topic."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import click

from archiver.following import Follower
from archiver.sink import Broken, Busy, Sink
from engine.kafka.clients import Kafka, KafkaError
from engine.kafka.security import Connection
from engine.kafka.topics import archive_group
from engine.plan import Plan
from manometer.archiving import Archiver
from manometer.asked_signals import STOPPING
from manometer.cli.collecting import collecting_rarely
from manometer.cli.failure import CommandError, what_failed
from manometer.intake.access import Access
from manometer.intake.server import Server
from manometer.shown import Shown
from manometer.sinks import SinkSpec


def archive(plan: Plan, connection: Connection, specs: Sequence[SinkSpec], access: Access, port: int) -> None:
    """Write the archive topic to stores until a signal comes, and answer /healthz, /readyz and /metrics.

    Raises:
        CommandError: it could not start.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    kafka = Kafka(connection.servers, connection.security)
    archiver = Archiver([Follower(spec.name, _opened(spec), plan, kafka) for spec in specs])
    server = Server(Shown(archiver), access, port, ready=archiver.unready)
    try:
        listening = server.start()
    except OSError as error:
        raise CommandError(
            f"{access.host}:{port}: cannot listen: {what_failed(error)}; choose another --port"
        ) from error
    groups = ", ".join(archive_group(plan, spec.name) for spec in specs)
    click.echo(f"{plan.archive} on {kafka.servers} goes to {', '.join(spec.name for spec in specs)}", err=True)
    click.echo(f"groups: {groups}; http://{access.host}:{listening}/readyz; to end: Ctrl-C", err=True)
    try:
        with collecting_rarely():
            asyncio.run(_until_stopped(plan, kafka, archiver))
    finally:
        server.close()


async def _until_stopped(plan: Plan, kafka: Kafka, archiver: Archiver) -> None:
    stop = asyncio.Event()
    for number in STOPPING:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        there = await kafka.topics([plan.archive])
    except KafkaError as error:
        raise CommandError(f"--kafka {kafka.servers}: {error}") from error
    if plan.archive not in there:
        raise CommandError(f"topic {plan.archive}: there is none; `manometer topics --create` makes it")
    await archiver.run(stop)


def _opened(spec: SinkSpec) -> Sink:
    try:
        return spec.open()
    except (Broken, Busy) as error:
        raise CommandError(f"sink {spec.name}: {error}") from error
