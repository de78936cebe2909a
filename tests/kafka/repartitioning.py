"""What the tests of repartitioned streams share: workflows, orders, and what is to be seen of copies."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from typing import Any

from engine.events import Message
from engine.kafka.clients import Kafka
from engine.kafka.topics import copy_of, group_id, repartition_group, repartitioned
from engine.kafka.worker import Worker
from engine.plan import Plan
from tests.engine.embedded.running import BEGUN
from tests.kafka import cluster
from tests.kafka.cluster import Written
from tests.kafka.working import ends, work
from tests.services.broker import Broker
from tests.services.running import Program

PARTITIONS = 4
ORDERS = {"decode": "json", "time": "time", "idle_after": "off"}


def whole(name: str, **more: Any) -> dict[str, Any]:
    """Write a workflow of one stream that must be seen whole."""
    return {
        "workflow": name,
        "streams": {"orders": {"topic": f"{name}.orders", **ORDERS, "repartition": "one"}},
        "monitors": [
            {"use": "arrival", "from": "orders", "with": {"silent_after": "10m"}},
            {"use": "input_statistics", "from": "orders", "with": {"fields": ["price"], "window": "1m"}},
            {
                "use": "input_drift",
                "from": "orders",
                "with": {"fields": ["price"], "learn": 200, "window": 50, "false_alarms": "1 per 10000 records"},
            },
        ],
        "archive": {"topic": f"{name}.archive"},
        "rejects": {"topic": f"{name}.rejects"},
        **more,
    }


def moment(second: float) -> str:
    """Write a time, so many seconds after the beginning."""
    return datetime.fromtimestamp(BEGUN / 1e6 + second, timezone.utc).isoformat()


def orders(count: int, seed: int = 1) -> list[Written]:
    """Make orders, one a second, each on any partition; their prices change in the middle."""
    numbers = random.Random(seed)
    made = []
    for second in range(count):
        price = numbers.gauss(0 if second < count / 2 else 3, 1)
        data = json.dumps({"id": second, "time": moment(second), "price": price}).encode()
        made.append(Written(data, f"k{second % 7}".encode(), numbers.randrange(PARTITIONS), BEGUN + second * 1_000_000))
    return made


def joined(name: str) -> dict[str, Any]:
    """Write a workflow of two streams that are joined, which nobody has keyed."""
    read = {"decode": "json", "time": "time", "key": "id", "idle_after": "off", "repartition": "key"}
    return {
        "workflow": name,
        "streams": {
            "predictions": {"topic": f"{name}.predictions", **read},
            "truth": {"topic": f"{name}.truth", **read},
        },
        "monitors": [
            {
                "use": "prediction_divergence",
                "from": {"prediction": "predictions", "truth": "truth"},
                "with": {"threshold": 0.5, "wait": "30s", "window": "1m"},
            }
        ],
        "archive": {"topic": f"{name}.archive"},
        "rejects": {"topic": f"{name}.rejects"},
    }


def copied(worker: Worker, last: dict[tuple[str, int], int]) -> bool:
    """Say whether a worker has copied up to these offsets of the sources, and saved all that it has read."""
    lanes = worker.lanes
    reached = {
        (one.topic, number): at.next
        for repartitioner in lanes.repartitioners
        for one in repartitioner.copied.values()
        for number, at in one.positions.items()
    }
    done = all(reached.get(place, end) >= end for place, end in last.items())
    read = lanes.ready and all(lanes.feed.behind(*place) == 0 for place in lanes.places or ())
    return done and read and all(dict(lane.saved) == dict(lane.pipeline.offsets) for lane in lanes.running)


def run_through(broker: Broker, plan: Plan, last: dict[tuple[str, int], int], kafka: Kafka | None = None) -> Worker:
    """Run one worker until all is copied, read and saved, and stays so for a second."""
    worker = Worker(plan, kafka or Kafka(broker.address))
    since: list[float] = []

    def until() -> bool:
        if not copied(worker, last):
            since.clear()
            return False
        since.append(time.monotonic())
        return since[-1] - since[0] > 1.5

    asyncio.run(work(worker, until))
    return worker


def on(broker: Broker, plan: Plan, *streams: str) -> list[Message]:
    """Read the sources of streams."""
    return [one for name in streams for one in cluster.messages(broker.address, plan.streams[name].topic)]


def copies(broker: Broker, plan: Plan, *streams: str) -> list[Message]:
    """Read the repartitioned topics of streams."""
    return [one for name in streams for one in cluster.messages(broker.address, copy_of(plan, name))]


def origins(messages: Sequence[Message]) -> list[str]:
    """Give where copies come from."""
    return [dict(one.headers)["origin"].decode() for one in messages]


def first_of_each(made: Sequence[Message]) -> list[Message]:
    """Leave out what was copied before."""
    found: dict[str, Message] = {}
    for one, origin in zip(made, origins(made), strict=True):
        found.setdefault(origin, one)
    return list(found.values())


def trickle(broker: Broker, topic: str, given: Sequence[Written], seconds: float) -> None:
    """Write messages over some seconds."""
    steps = 40
    for step in range(steps):
        begun = time.monotonic()
        cluster.write(broker.address, topic, given[len(given) * step // steps : len(given) * (step + 1) // steps])
        time.sleep(max(0.0, seconds / steps - (time.monotonic() - begun)))


def covered(broker: Broker, plan: Plan) -> bool:
    """Say whether groups have committed all that there is: of the sources, and of their copies."""
    kafka = Kafka(broker.address)
    copied_to = asyncio.run(kafka.commits(repartition_group(plan)))
    read_to = asyncio.run(kafka.commits(group_id(plan)))
    wanted = [(copied_to, ends(on(broker, plan, *repartitioned(plan))))]
    wanted.append((read_to, ends(copies(broker, plan, *repartitioned(plan)))))
    return all(found.get(place, (0, ""))[0] >= end for found, last in wanted for place, end in last.items())


def wait_until(done: Callable[[], bool], workers: Sequence[Program], patience: float = 90) -> None:
    """Wait until something holds."""
    until = time.monotonic() + patience
    while not done():
        assert time.monotonic() < until, "\n".join(one.tail() for one in workers)
        time.sleep(0.5)
