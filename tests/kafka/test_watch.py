"""A process that has work and does not get on is ended, even where its loop hangs."""

from __future__ import annotations

import subprocess
import sys
import time
from itertools import count
from pathlib import Path
from threading import Event

import pytest

from engine.kafka.watch import EXIT_CODE, Watch

HANGS = """
import time
from engine.kafka.watch import Watch

Watch(lambda: 0, lambda: 1, print, looks=1, every=0.05, grace=0.1).start()
time.sleep(60)
"""


def watched(progress: object, behind: int, looks: int = 3) -> tuple[list[str], Event]:
    """Watch for a moment; gives what was told."""
    told: list[str] = []
    came = Event()

    def stuck(reason: str) -> None:
        told.append(reason)
        came.set()

    watch = Watch(progress, lambda: behind, stuck, looks, every=0.02)  # type: ignore[arg-type]  # a callable of each case
    watch.start()
    came.wait(0.5)
    watch.close()
    return told, came


@pytest.mark.parametrize(
    ("progress", "behind"),
    [(count().__next__, 5), (lambda: 7, 0)],
    ids=["it gets on", "it has nothing to do"],
)
def test_a_worker_that_is_well_is_left_alone(progress: object, behind: int) -> None:
    """With progress, or without work, nothing is told."""
    told, _ = watched(progress, behind)

    assert told == []


def test_a_worker_that_is_stuck_is_told_of_once() -> None:
    """Work and no progress for some looks: the reason has the number of messages."""
    told, _ = watched(lambda: 7, 5)

    assert len(told) == 1
    assert told[0].startswith("5 messages wait and nothing was done for")


def test_a_loop_that_hangs_is_ended_by_force() -> None:
    """Where nobody reacts the process ends all the same, with an exit code of its own."""
    begun = time.monotonic()

    done = subprocess.run([sys.executable, "-c", HANGS], cwd=Path(__file__).parents[2], check=False)

    assert done.returncode == EXIT_CODE
    assert time.monotonic() - begun < 30
