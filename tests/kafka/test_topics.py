"""The layout of topics: what is expected, and what a worker refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.kafka.topics import Topic, expected, mistakes
from engine.kafka.worker import WrongTopics
from engine.plan import Plan
from tests.kafka import cluster
from tests.kafka.working import plan_of, run_to
from tests.services.broker import Broker

KEYS: dict[str, Any] = {
    "workflow": "layout",
    "streams": {
        "notify": {"topic": "notify", "decode": "sensors"},
        "predictions": {"topic": "predictions", "decode": "json", "key": "id"},
        "truth": {"topic": "truth", "decode": "json", "key": "id"},
    },
    "monitors": [
        {"use": "throughput", "from": "notify"},
        {"use": "arrival", "from": "predictions"},
        {"use": "prediction_divergence", "from": {"prediction": "predictions", "truth": "truth"}},
    ],
    "archive": {"topic": "archive"},
}


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """Give a workflow of one single group, one joined, and one that must see a whole stream."""
    return plan_of(tmp_path, KEYS)[0]


def laid_out(plan: Plan, **inputs: int) -> dict[str, Topic]:
    """Give topics that are as they should be, the inputs with so many partitions."""
    found = {name: Topic(name, count) for name, count in inputs.items()}
    return found | {topic.name: topic for topic in expected(plan, found)}


def test_topics_as_they_should_be_are_taken(plan: Plan) -> None:
    """Each group has its own number of partitions."""
    assert mistakes(plan, laid_out(plan, notify=4, predictions=1, truth=1)) == []


def test_all_that_is_missing_is_told_at_once(plan: Plan) -> None:
    """Each topic that is not there is named, with the command that makes it."""
    told = mistakes(plan, {})

    assert [line.split(":")[0] for line in told] == [
        f"topic {name}" for name in ("archive", "layout.state", "notify", "predictions", "rejects", "truth")
    ]
    assert "manometer topics --create" in told[0]


def test_joined_streams_have_as_many_partitions(plan: Plan) -> None:
    """Otherwise the halves of a pair would lie with different workers."""
    told = mistakes(plan, laid_out(plan, notify=1, predictions=1, truth=2))

    assert told == ["group predictions+truth: expected equal numbers of partitions, but predictions has 1, truth has 2"]


def test_monitors_of_a_whole_stream_have_one_partition(plan: Plan) -> None:
    """A monitor that must see everything refuses several partitions, by its name."""
    told = mistakes(plan, laid_out(plan, notify=1, predictions=2, truth=2))

    assert len(told) == 1
    assert told[0].startswith("topic predictions: it has 2 partitions, but arrival must see the whole stream")


@pytest.mark.parametrize(
    ("topic", "words"),
    [
        (Topic("layout.state", 1, compacted=True), "at least 4 partitions"),
        (Topic("layout.state", 4), "cleanup.policy=compact"),
        (Topic("archive", 1, 2_000_000, compacted=True), "cleanup.policy=delete"),
        (Topic("rejects", 1), "max.message.bytes of at least 1114112, found 1048576"),
    ],
)
def test_what_would_lose_something_is_refused(plan: Plan, topic: Topic, words: str) -> None:
    """States need compaction, emissions must not have it, and each message fits as a reject."""
    (told,) = mistakes(plan, {**laid_out(plan, notify=4, predictions=1, truth=1), topic.name: topic})

    assert words in told


def test_a_worker_does_not_start_on_wrong_topics(broker: Broker, tmp_path: Path) -> None:
    """The broker is asked, and everything that is wrong is in the exception."""
    name = cluster.fresh("wrong")
    plan, _ = plan_of(tmp_path, {**KEYS, "workflow": name})
    cluster.create(broker.address, f"{name}.state", cleanup_policy="delete")

    with pytest.raises(WrongTopics) as caught:
        run_to(broker, plan, {})

    assert f"topic {name}.state: expected cleanup.policy=compact" in str(caught.value)
