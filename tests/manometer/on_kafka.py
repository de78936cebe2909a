"""A small workflow whose topics lie on the broker of the tests, with messages in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from engine.plan import Plan
from tests.kafka import cluster
from tests.kafka.cluster import Written
from tests.kafka.working import ends, plan_of, run_to
from tests.services.broker import Broker

REPORT = (
    b'{"type":"sensor-report","timestamp":"2026-01-01T00:00:%02dZ","src":"e1",'
    b'"tap":"manifold.0.records.count","id":%d,"delta_time":10.0,"data":%d}'
)
GOOD = [REPORT % (second, second, 10 * second) for second in (10, 20, 30)]
BAD = b"no JSON, and \xff no UTF-8"
SCHEMA = b'{"type":"sensor-report"}'


class Case(NamedTuple):
    """A workflow on the broker."""

    broker: Broker
    plan: Plan
    path: Path

    @property
    def topic(self) -> str:
        """Its input topic."""
        return self.plan.streams["notify"].topic

    @property
    def kafka(self) -> tuple[str, str]:
        """The option that says where it is."""
        return "--kafka", self.broker.address

    def write(self, *values: bytes) -> None:
        """Write messages of the engine e1."""
        cluster.write(self.broker.address, self.topic, [Written(value, b"e1") for value in values])

    def work(self) -> None:
        """Let a worker take all that is there."""
        run_to(self.broker, self.plan, ends(cluster.messages(self.broker.address, self.topic)))


def keys(name: str, **more: Any) -> dict[str, Any]:
    """Give the keys of a workflow with topics of its own."""
    return {
        "workflow": name,
        "streams": {"notify": {"topic": f"{name}.notify", "decode": "sensors", "idle_after": "off"}},
        "monitors": [{"use": "throughput", "from": "notify"}],
        "archive": {"topic": f"{name}.archive"},
        "rejects": {"topic": f"{name}.rejects"},
        **more,
    }


def case(broker: Broker, folder: Path, *, create: bool = True, **more: Any) -> Case:
    """Write a workflow file, and make its topics."""
    plan, path = plan_of(folder, keys(cluster.fresh("small"), **more))
    if create:
        cluster.create_all(broker.address, plan)
    return Case(broker, plan, path)
