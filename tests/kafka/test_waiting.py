"""What waits in a lane: complete and in order, whether the feed brings it or it is read beside the feed."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.events import Message
from engine.kafka import lanes
from engine.kafka.batch import PIECE_MESSAGES, Batch
from engine.kafka.clients import Kafka
from engine.kafka.starts import prepare
from engine.kafka.waiting import WAITING_BATCHES, Waiting
from engine.kafka.worker import Worker
from engine.plan import Plan
from tests.kafka import cluster
from tests.kafka.cluster import Written
from tests.kafka.test_revisions import until
from tests.kafka.working import Oracle, ends, plan_of, run_to, saved, work
from tests.services.broker import Broker

END = 3_000


class Log:
    """A log with holes, as a feed and as whoever reads for himself get it."""

    def __init__(self, numbers: random.Random) -> None:
        """Leave some offsets out, the last ones among them."""
        self._numbers = numbers
        self.offsets = [offset for offset in range(END) if numbers.random() < 0.9 and offset < END - 3]

    def batch(self, first: int, most: int) -> Batch | None:
        """Give the next messages from an offset on, as one batch that begins there."""
        found = [offset for offset in self.offsets if offset >= first][:most]
        messages = [Message("topic", 0, offset, None, None, b"") for offset in found]
        return Batch("topic", 0, first, messages) if messages else None

    async def read_on(self, offset: int) -> AsyncGenerator[tuple[Batch | None, int]]:
        """Read from an offset on, sometimes nothing."""
        while True:
            await asyncio.sleep(0)
            batch = self.batch(offset, self._numbers.randint(1, 60)) if self._numbers.random() < 0.8 else None
            if batch is not None:
                offset = batch.last + 1
            at_end = self.batch(offset, 1) is None
            yield batch, END if at_end else offset


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_missing_beside_the_feed(seed: int) -> None:
    """Batches follow each other without a gap, whenever it stepped aside and however far the feed was by then."""
    numbers = random.Random(seed)
    log = Log(numbers)
    begin = numbers.randrange(0, END // 2)
    feed = numbers.choice([begin, min(log.offsets[-1], begin + numbers.randrange(0, END // 2)), END])
    taken: list[Batch] = []

    async def run() -> None:
        nonlocal feed
        waiting = Waiting(log.read_on, asyncio.Event())
        waiting.begin(begin, feed)
        async with asyncio.timeout(20):
            while not taken or taken[-1].last < log.offsets[-1]:
                batch = None if waiting.full else log.batch(feed, numbers.randint(1, 60))
                if batch is not None and numbers.random() < 0.7:
                    waiting.take(batch)
                    feed = batch.last + 1
                if waiting.full and numbers.random() < 0.5:
                    waiting.step_aside()
                some = numbers.randint(0, len(waiting)) if numbers.random() < 0.3 else 0
                taken.extend(waiting.pop() for _ in range(some))
                waiting.check()
                assert len(waiting) <= 2 * WAITING_BATCHES
                await asyncio.sleep(0)
        await waiting.close()

    asyncio.run(run())

    assert [message.offset for batch in taken for message in batch.messages] == [o for o in log.offsets if o >= begin]
    assert [batch.first for batch in taken] == [begin, *(batch.last + 1 for batch in taken[:-1])]


def paired(broker: Broker, folder: Path) -> Plan:
    """Make a workflow that joins two topics, one of which a monitor reads alone as well."""
    name = cluster.fresh("paired")
    read = {"decode": "json", "time": "t", "key": "id", "idle_after": "off", "lateness": 0}
    keys: dict[str, Any] = {
        "workflow": name,
        "streams": {side: {"topic": f"{name}.{side}", **read} for side in ("predictions", "truth")},
        "monitors": [
            {"use": "arrival", "from": "predictions"},
            {
                "use": "prediction_divergence",
                "from": {"prediction": "predictions", "truth": "truth"},
                "with": {"threshold": 0.5, "wait": "1s"},
            },
        ],
        "archive": {"topic": f"{name}.archive"},
        "rejects": {"topic": f"{name}.rejects"},
    }
    plan = plan_of(folder, keys)[0]
    cluster.create_all(broker.address, plan)
    return plan


def halves(begin: int, count: int) -> list[Written]:
    """Make halves, a hundred a second."""
    lines = [{"id": f"{begin}-{place}", "t": begin + place / 100, "value": 1.0} for place in range(count)]
    return [Written(json.dumps(line).encode(), b"k") for line in lines]


def test_a_joined_group_does_not_hold_back_others(broker: Broker, tmp_path: Path) -> None:
    """While one stream of a join is far behind, a group that only reads the other goes on to the end; all is exact."""
    plan = paired(broker, tmp_path)
    topics = {name: stream.topic for name, stream in plan.streams.items()}
    cluster.write(broker.address, topics["truth"], halves(1_000_000, 150_000) + halves(2_000_000, 30_000))
    cluster.write(broker.address, topics["predictions"], halves(2_000_000, 30_000))
    messages = [one for topic in topics.values() for one in cluster.messages(broker.address, topic)]
    worker = Worker(plan, Kafka(broker.address))
    seen: dict[str, int] = {}

    async def run() -> None:
        stop = asyncio.Event()
        running = asyncio.create_task(worker.run(stop))
        await until(lambda: len(worker.lanes.running) == 2)
        alone, joined = sorted(worker.lanes.running, key=lambda lane: len(lane.topics))
        await until(lambda: alone.saved.get("predictions") == 30_000)
        seen.update(joined.pipeline.offsets)
        await until(lambda: saved(worker, ends(messages)))
        stop.set()
        await running

    asyncio.run(run())

    assert seen["predictions"] <= PIECE_MESSAGES  # the first piece needs no turn
    assert seen["truth"] < 150_000
    assert sorted(cluster.emissions(cluster.archive(broker.address, plan))) == sorted(Oracle(plan, messages).emissions)


def test_a_group_that_is_far_behind_is_read_beside_the_others(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A group that is to read all that lies on a topic does not take the others back to its beginning."""
    monkeypatch.setattr(lanes, "APART", 10)
    plan = paired(broker, tmp_path)
    whole = msgspec.structs.replace(plan, hash="later")
    alone = msgspec.structs.replace(
        plan, monitors=plan.monitors[:1], streams={"predictions": plan.streams["predictions"]}
    )
    topics = {name: stream.topic for name, stream in plan.streams.items()}
    for topic in topics.values():
        cluster.write(broker.address, topic, halves(1_000_000, 3_000))
    run_to(broker, alone, {(topics["predictions"], 0): 3_000})
    asyncio.run(prepare(whole, Kafka(broker.address), ["predictions+truth"], "beginning"))
    cluster.write(broker.address, topics["predictions"], halves(1_000_030, 500))
    messages = [one for topic in topics.values() for one in cluster.messages(broker.address, topic)]
    worker = Worker(whole, Kafka(broker.address))
    caplog.set_level("INFO", "manometer.kafka")

    asyncio.run(work(worker, lambda: saved(worker, ends(messages))))

    found = cluster.emissions(cluster.archive(broker.address, plan))
    assert sorted(found) == sorted(Oracle(plan, messages).emissions)
    assert f"the group predictions+truth reads {topics['predictions']} by itself from 0" in caplog.messages
