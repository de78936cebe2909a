"""`manometer run --kafka`: one worker of a workflow, until a signal comes."""

from __future__ import annotations

import asyncio
import logging
import os
import platform
import signal
from threading import Timer
from typing import Final

import click

from engine.clock import SystemClock
from engine.kafka.clients import Kafka, KafkaError
from engine.kafka.revisions import Outdated, see_not_older
from engine.kafka.security import Connection
from engine.kafka.topics import expected, inputs, mistakes
from engine.kafka.worker import Failed, Worker, WrongTopics
from engine.plan import Plan
from manometer.asked_signals import STOPPING
from manometer.cli.collecting import collecting_rarely
from manometer.cli.failure import CommandError, what_failed
from manometer.cli.run_again import Reread, stays
from manometer.cli.run_settings import Settings
from manometer.intake.forwarding import Forwarding
from manometer.intake.server import Server
from manometer.shown import Shown

END_SECONDS: Final = 9.5
"""A worker that has to end gets so long to hand over; then it ends all the same, which loses no more than kill -9."""
_TERMINATED: Final = 128 + signal.SIGTERM


def run_kafka(plan: Plan, connection: Connection, settings: Settings, reread: Reread) -> None:
    """Run a worker, and answer /healthz, /readyz and /metrics.

    Raises:
        CommandError: it could not start, or had to end.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("manometer").setLevel(logging.INFO)
    kafka = Kafka(connection.servers, connection.security)
    forwarding = Forwarding(plan, kafka, SystemClock())
    shown = Shown(_worker(plan, kafka), forwarding)
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
            asyncio.run(_until_stopped(shown, forwarding, kafka, reread))
    except (WrongTopics, Failed) as error:
        raise CommandError(str(error)) from error
    except KafkaError as error:
        raise CommandError(f"--kafka {kafka.servers}: {error}") from error
    finally:
        server.close()


def _worker(plan: Plan, kafka: Kafka) -> Worker:
    return Worker(plan, kafka, process=platform.node() or "worker")


async def _until_stopped(shown: Shown[Worker], forwarding: Forwarding, kafka: Kafka, reread: Reread) -> None:
    """Run one worker after the other: SIGHUP ends one with a checkpoint and begins the next with the changed file."""
    asked: asyncio.Queue[int] = asyncio.Queue()
    for number in (*STOPPING, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, asked.put_nowait, number)
    plan: Plan | None = shown.machine.plan
    async with forwarding.opened():
        while plan is not None:
            stop = asyncio.Event()
            running = asyncio.create_task(shown.machine.run(stop))
            plan = await _next(plan, kafka, running, asked, reread)
            if plan is None and not running.done():
                _end_all_the_same()
            stop.set()
            await running
            if plan is not None:
                shown.machine, forwarding.plan = _worker(plan, kafka), plan


def _end_all_the_same() -> None:
    """See to it that a process that was told to end does so in time, also where a broker does not answer."""
    timer = Timer(END_SECONDS, _leave)
    timer.daemon = True  # it must not hold up an end in order, and goes on while other threads do
    timer.start()


def _leave() -> None:
    click.echo(f"ended without a farewell: to hand over took longer than {END_SECONDS:g} s; nothing is lost", err=True)
    os._exit(_TERMINATED)


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
    """Say whether the topics are as a changed workflow needs them, and no newer one has run."""
    try:
        wrong = mistakes(plan, await kafka.topics({*inputs(plan), *(topic.name for topic in expected(plan, {}))}))
        await see_not_older(plan, kafka)
    except Outdated as error:
        wrong = [str(error)]
    except KafkaError as error:
        wrong = [f"--kafka {kafka.servers}: {error}"]
    for text in wrong:
        stays(text)
    return not wrong
