from __future__ import annotations

import os
import random
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import pytest

from archiver.following import Follower
from archiver.patience import Pace
from engine.events import Emission, Metric, Tags
from engine.kafka.clients import Kafka
from engine.plan import Plan
from tests.archiver.followed import NOON, committed, follow, publish, topics_of
from tests.archiver.sinks.influx_store import read_back, sink_of
from tests.services.broker import Broker
from tests.services.influxdb import InfluxDB
from tests.services.running import Missing, absent

QUICK = Pace(first=0.05, longest=0.2, broken=0.2)
MESSAGES = 100
POINTS = 1_000
MOST = 600_000
"""Bytes that there is room for at first; the messages above need twice as many."""


class Room(Protocol):
    """What InfluxDB may fill."""

    options: tuple[str, ...]

    def narrow(self, server: InfluxDB) -> None:
        """Leave little of it."""

    def widen(self, server: InfluxDB) -> None:
        """Leave enough."""


class FileSystem:
    """A file system in memory that is as large as it is told."""

    def __init__(self, folder: Path) -> None:
        """Use a folder that one is mounted on."""
        self._folder = folder
        self.options: tuple[str, ...] = ("--engine-path", str(folder))

    def narrow(self, _: InfluxDB) -> None:
        """Leave room for little more than what is there."""
        seen = os.statvfs(self._folder)
        self._size((seen.f_blocks - seen.f_bfree) * seen.f_frsize + MOST)

    def widen(self, _: InfluxDB) -> None:
        """Leave room for much more."""
        self._size(256_000_000)

    def _size(self, size: int) -> None:
        subprocess.run(["mount", "-o", f"remount,size={size}", str(self._folder)], check=True)  # noqa: S607 - as found


class FileSize:
    """A bound of the size of each file, which the system sets for the process."""

    options: tuple[str, ...] = ()

    def narrow(self, server: InfluxDB) -> None:
        """Let no file become larger than that."""
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (MOST, resource.RLIM_INFINITY))

    def widen(self, server: InfluxDB) -> None:
        """Let it."""
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


@contextmanager
def file_system(folder: Path) -> Iterator[Room]:
    """Mount one, where that is allowed; that it is not is a property of the machine, in CI too."""
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=256m", "manometer-test", str(folder)]
    done = None if shutil.which("mount") is None else subprocess.run(words, capture_output=True, text=True, check=False)
    if done is None or done.returncode:
        why = "there is no mount" if done is None else done.stderr.strip()
        pytest.skip(f"no file system can be mounted here ({why}); the other form of this test bounds the size of files")
    try:
        yield FileSystem(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S607 - as found


@contextmanager
def file_size(_: Path) -> Iterator[Room]:
    """Bound files, which any user may."""
    yield FileSize()


def messages_of(plan: Plan) -> list[list[Emission]]:
    """Make points whose values no packing makes small."""
    chance = random.Random(7)
    tags = [Tags({"workflow": plan.workflow, "engine": f"e{n}"}) for n in range(10)]
    return [
        [Metric("records_per_second", NOON + number * POINTS + n, chance.random(), tags[n % 10]) for n in range(POINTS)]
        for number in range(MESSAGES + 1)
    ]


@pytest.mark.parametrize(
    ("room", "words"), [(file_system, "no space left on device"), (file_size, "file too large")], ids=["disk", "files"]
)
def test_a_store_that_is_full_loses_nothing(
    broker: Broker, tmp_path: Path, room: Callable[[Path], AbstractContextManager[Room]], words: str
) -> None:
    """What it took stays, what it refuses is not committed, and all is there once it has room and was started again."""
    plan, _ = topics_of(broker, tmp_path)
    first, *rest = messages_of(plan)
    with room(tmp_path / "engine") as given:
        server = server_in(tmp_path, given)
        follower = Follower("influxdb", sink_of(server), plan, Kafka(broker.address), pace=QUICK)
        stopped: list[tuple[int, str]] = []

        def story() -> Iterator[bool]:
            publish(broker, plan, first)
            while follower.status().position < 1:
                yield False
            given.narrow(server)
            publish(broker, plan, *rest, since=1)
            while words not in follower.status().error:
                yield False
            stopped.append(((committed(broker, plan, "influxdb") or (0,))[0], follower.status().state))
            given.widen(server)
            server.kill()
            server.start()
            while follower.status().position <= MESSAGES:
                yield False

        steps = story()
        try:
            follow(follower, until=lambda: next(steps, True), patience=120)
            found = read_back(server)
        finally:
            server.stop()

    ((position, state),) = stopped
    assert 1 <= position <= MESSAGES
    assert state == "waiting"
    assert (committed(broker, plan, "influxdb") or (0,))[0] == MESSAGES + 1
    assert by_time(found) == by_time([one for message in (first, *rest) for one in message])


def server_in(folder: Path, room: Room) -> InfluxDB:
    """Start a server of its own in some room."""
    try:
        server = InfluxDB(folder, *room.options)
    except Missing as missing:
        absent(missing)
    server.start()
    return server


def by_time(emissions: list[Emission]) -> list[tuple[int, float | None, str]]:
    """Give what tells points apart, and their values."""
    return sorted((one.time, one.value, one.tags["engine"]) for one in emissions)
