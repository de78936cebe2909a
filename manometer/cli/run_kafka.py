"""`manometer run --kafka`: one worker of a workflow, until a signal comes."""

from __future__ import annotations

import asyncio
import logging
import platform
import signal
from collections.abc import Sequence

import click

from engine.clock import SystemClock
from engine.kafka.clients import Kafka, KafkaError
from engine.kafka.security import Connection
from engine.kafka.topics import expected, inputs, mistakes
from engine.kafka.worker import Failed, Worker, WrongTopics
from engine.plan import Plan
from engine.telemetry import Reading
from manometer.cli.collecting import collecting_rarely
from manometer.cli.failure import CommandError, what_failed
from manometer.cli.run_again import STOPPING, Reread, stays
from manometer.cli.run_settings import Settings
from manometer.intake.forwarding import Forwarding
from manometer.intake.server import Server


class _Shown:
    """A worker as the server shows it: what is posted goes to the topics, from where any worker takes it."""

    def __init__(self, worker: Worker, forwarding: Forwarding) -> None:
        self.worker = worker
        self.forwarding = forwarding
        self.send = forwarding.send

    @property
    def topics(self) -> Sequence[str]:
        """The topics that there are."""
        return self.forwarding.topics

    def offsets(self) -> dict[str, int]:
        """Give none: they are Kafka's."""
        return {}

    def readings(self) -> list[Reading]:
        """Read the worker's telemetry."""
        return self.worker.readings()

    def alive(self) -> str | None:
        """Say why nothing goes on any more."""
        return self.worker.alive()

    def unready(self) -> list[str]:
        """Say why it is not ready to work."""
        return self.worker.unready()


def run_kafka(plan: Plan, connection: Connection, settings: Settings, reread: Reread) -> None:
    """Run a worker, and answer /healthz, /readyz and /metrics.

    Raises:
        CommandError: it could not start, or had to end.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("manometer").setLevel(logging.INFO)
    kafka = Kafka(connection.servers, connection.security)
    shown = _Shown(_worker(plan, kafka), Forwarding(plan, kafka, SystemClock()))
    server = Server(shown, settings.access, settings.port, ready=shown.unready)
    try:
        port = server.start()
    except OSError as error:
        place = f"{settings.access.host}:{settings.port}"
        raise CommandError(f"{place}: cannot listen: {what_failed(error)}; choose another --port") from error
    click.echo(
        f"{plan.workflow} runs on {kafka.servers}: http://{settings.access.host}:{port}/readyz; to end: Ctrl-C",
        err=True,
    )
    try:
        with collecting_rarely():
            asyncio.run(_until_stopped(shown, kafka, reread))
    except (WrongTopics, Failed) as error:
        raise CommandError(str(error)) from error
    except KafkaError as error:
        raise CommandError(f"--kafka {kafka.servers}: {error}") from error
    finally:
        server.close()


def _worker(plan: Plan, kafka: Kafka) -> Worker:
    return Worker(plan, kafka, process=platform.node() or "worker")


async def _until_stopped(shown: _Shown, kafka: Kafka, reread: Reread) -> None:
    """Run one worker after the other: SIGHUP ends one with a checkpoint and begins the next with the changed file."""
    asked: asyncio.Queue[int] = asyncio.Queue()
    for number in (*STOPPING, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, asked.put_nowait, number)
    plan: Plan | None = shown.worker.plan
    async with shown.forwarding.opened():
        while plan is not None:
            stop = asyncio.Event()
            running = asyncio.create_task(shown.worker.run(stop))
            plan = await _next(plan, kafka, running, asked, reread)
            stop.set()
            await running
            if plan is not None:
                shown.worker, shown.forwarding.plan = _worker(plan, kafka), plan


async def _next(
    plan: Plan, kafka: Kafka, running: asyncio.Task[None], asked: asyncio.Queue[int], reread: Reread
) -> Plan | None:
    """Wait until something has to happen; gives the workflow to go on with, None to end."""
    while True:
        signalled = asyncio.create_task(asked.get())
        await asyncio.wait({running, signalled}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            signalled.cancel()
            return None
        if signalled.result() in STOPPING:
            return None
        found = await asyncio.to_thread(reread, plan)
        if found is not None and await _fits(found, kafka):
            return found


async def _fits(plan: Plan, kafka: Kafka) -> bool:
    """Say whether the topics are as a changed workflow needs them."""
    try:
        wrong = mistakes(plan, await kafka.topics({*inputs(plan), *(topic.name for topic in expected(plan, {}))}))
    except KafkaError as error:
        wrong = [f"--kafka {kafka.servers}: {error}"]
    for text in wrong:
        stays(text)
    return not wrong
