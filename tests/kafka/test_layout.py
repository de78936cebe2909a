"""How topics are made, what else is said of them, and who may do what."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from engine.kafka.layout import advice, lacking, rights, settings
from engine.kafka.topics import Topic, mistakes
from engine.plan import Plan
from engine.times import HOUR
from tests.kafka.test_topics import KEYS
from tests.kafka.working import plan_of


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """Give a workflow of one single group, one joined, and one that must see a whole stream."""
    return plan_of(tmp_path, KEYS)[0]


def made(plan: Plan, found: dict[str, Topic], partitions: int) -> dict[str, int]:
    """Say how many partitions each topic that is made gets."""
    return {topic.name: topic.partitions for topic in lacking(plan, found, partitions)}


def test_a_topic_gets_as_many_partitions_as_its_monitors_allow(plan: Plan) -> None:
    """Arrival must see all predictions, and truth is joined with them, so both have one; the states follow the most."""
    assert made(plan, {}, 4) == {
        "notify": 4,
        "predictions": 1,
        "truth": 1,
        "archive": 1,
        "rejects": 1,
        "layout.state": 4,
    }


def test_a_topic_gets_as_many_partitions_as_what_it_is_joined_with(plan: Plan) -> None:
    """What is there decides, whatever is asked for."""
    assert made(plan, {"predictions": Topic("predictions", 2)}, 4)["truth"] == 2


@pytest.mark.parametrize("partitions", [1, 4])
def test_what_is_made_is_right(plan: Plan, partitions: int) -> None:
    """A worker finds nothing wrong with topics that were made, and nothing else is to be said of them."""
    found = {topic.name: topic for topic in lacking(plan, {}, partitions)}

    assert mistakes(plan, found) == []
    assert list(advice(plan, found)) == []


def test_the_rejects_topic_takes_the_largest_input(plan: Plan) -> None:
    """An input of 2 MB and 64 KB for what is said beside it."""
    found = {"notify": Topic("notify", 1, 2_000_000)}
    (rejects,) = (topic for topic in lacking(plan, found, 1) if topic.role == "rejects")

    assert settings(rejects) == {
        "max.message.bytes": "2065536",
        "cleanup.policy": "delete",
        "retention.ms": "2592000000",
        "message.timestamp.type": "CreateTime",
    }


def test_states_are_compacted(plan: Plan) -> None:
    """The last record of each series stays, however old."""
    (states,) = (topic for topic in lacking(plan, {}, 1) if topic.role == "state")

    assert settings(states)["cleanup.policy"] == "compact"
    assert "retention.ms" not in settings(states)


def test_what_will_be_missed_is_told(plan: Plan) -> None:
    """Messages that are kept for hours only, and retries that lose their time."""
    found = {topic.name: topic for topic in lacking(plan, {}, 1)}
    found["archive"] = msgspec.structs.replace(found["archive"], retention=HOUR)
    found["rejects"] = msgspec.structs.replace(found["rejects"], keeps_time=False)

    assert [line.split(":")[0] for line in advice(plan, found)] == ["topic archive", "topic rejects"]


def test_each_process_has_rights_to_what_it_does_and_no_more(plan: Plan) -> None:
    """A worker reads inputs and writes none of them; sensors write where engines are told of, and nowhere else."""
    given = {(one.process, one.name): set(one.operations) for one in rights(plan) if one.kind == "topic"}

    assert "Write" not in given["worker", "predictions"]
    assert {"Read", "Write"} <= given["worker", "layout.state"]
    assert [name for process, name in given if process == "sensors"] == ["notify"]
    assert str(rights(plan)[0]) == "--topic notify --operation Read --operation Describe --operation DescribeConfigs"
