"""The engines of the demo alone: they send to Kafka, day after day, and whoever works there watches them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from engine.plan import Plan
from manometer.asked_signals import collected
from manometer.demo import story
from manometer.demo.crew import Crew
from manometer.demo.engine import Orders
from manometer.demo.live import INPUTS, PREDICTIONS
from manometer.demo.publisher import KAFKA

LOOK_EVERY: Final = 0.25


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How the engines are to run."""

    servers: str
    """HOST:PORT, several with commas."""
    log: Path
    """Gets what goes wrong in the engines."""
    speed: float
    """How many seconds of the recorded day pass in one."""
    seed: int
    seconds: float | None
    """When they end by themselves; None: when a signal comes."""


def engines(plan: Plan, settings: Settings, tell: Callable[[str], None]) -> None:
    """Let the engines live through the recorded day again and again, each time with the whole story.

    Raises:
        OSError: a process cannot be started, or the log not written.
    """
    end = float("inf") if settings.seconds is None else time.monotonic() + settings.seconds
    with collected() as asked:
        while not asked and time.monotonic() < end:
            _one_day(plan, settings, tell, (asked, end))


def _one_day(plan: Plan, settings: Settings, tell: Callable[[str], None], until: tuple[Sequence[int], float]) -> None:
    asked, end = until
    with Crew(settings.log) as crew:
        crew.ready()
        begin = time.time()
        crew.begin(msgspec.json.encode(_orders(plan, settings, begin)))
        tell(f"{len(story.ENGINES)} engines of {story.MODEL} begin a day; they send to {settings.servers}")
        day = 0.0
        while day < story.DAY and not asked and time.monotonic() < end:
            time.sleep(LOOK_EVERY)
            before, day = day, (time.time() - begin) * settings.speed
            for event in story.between(before, day):
                tell(event.told)
                if event.turn == "is killed":
                    crew.kill(event.engine)


def _orders(plan: Plan, settings: Settings, begin: float) -> Orders:
    return Orders(
        address=f"{KAFKA}{settings.servers}",
        inputs=plan.streams[INPUTS].topic,
        predictions=plan.streams[PREDICTIONS].topic,
        begin=begin,
        speed=settings.speed,
        seed=settings.seed,
    )
