"""How topics are made, what else is said of them, and who may do what."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from engine.kafka.layout import advice, lacking, rights, settings
from engine.kafka.repartitioner import in_step
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


def repartitioned(folder: Path, truth: str = "key", predictions: str = "key") -> Plan:
    """Give the workflow with copies of joined streams, and of one that must be seen whole."""
    streams = {
        "notify": {"topic": "notify", "decode": "sensors", "repartition": "one"},
        "predictions": {"topic": "predictions", "decode": "json", "key": "id"},
        "truth": {"topic": "truth", "decode": "json", "key": "id", "repartition": truth},
    }
    if predictions:
        streams["predictions"]["repartition"] = predictions
    monitors = [
        {"use": "throughput", "from": "notify"},
        {"use": "arrival", "from": "notify"},
        {"use": "prediction_divergence", "from": {"prediction": "predictions", "truth": "truth"}},
    ]
    return plan_of(folder, {**KEYS, "streams": streams, "monitors": monitors})[0]


def test_copies_have_partitions_of_their_own(tmp_path: Path) -> None:
    """One where a stream is seen whole, as many as the largest source where joined streams meet; states follow all."""
    found = {"truth": Topic("truth", 6), "predictions": Topic("predictions", 2)}

    assert made(repartitioned(tmp_path), found, 4) == {
        "notify": 4,
        "layout.notify.one": 1,
        "layout.predictions.key": 6,
        "layout.truth.key": 6,
        "archive": 1,
        "rejects": 1,
        "layout.state": 6,
    }


def test_a_copy_has_as_many_partitions_as_what_it_is_joined_with(tmp_path: Path) -> None:
    """A stream that is keyed as it is has the say, whatever the source of the copy has."""
    found = {"truth": Topic("truth", 6), "predictions": Topic("predictions", 2)}

    assert made(repartitioned(tmp_path, predictions=""), found, 4)["layout.truth.key"] == 2
    assert made(repartitioned(tmp_path, predictions=""), {}, 4)["layout.truth.key"] == 4


def test_joined_streams_become_one(tmp_path: Path) -> None:
    """With `repartition: one` on both, each copy has one partition, and the sources as many as they like."""
    counts = made(repartitioned(tmp_path, "one", "one"), {}, 4)

    assert [counts[name] for name in ("predictions", "truth", "layout.predictions.one", "layout.truth.one")] == [
        4,
        4,
        1,
        1,
    ]


@pytest.mark.parametrize("partitions", [1, 4])
def test_copies_that_are_made_are_right(tmp_path: Path, partitions: int) -> None:
    """A worker finds nothing wrong with them; they take what the source takes, and the origin beside it."""
    plan = repartitioned(tmp_path)
    found = {"truth": Topic("truth", partitions, 3_000_000)}
    found |= {topic.name: topic for topic in lacking(plan, found, partitions)}

    assert mistakes(plan, found) == []
    assert settings(found["layout.truth.key"])["max.message.bytes"] == "3065536"
    assert settings(found["layout.truth.key"])["message.timestamp.type"] == "CreateTime"


@pytest.mark.parametrize(
    ("topic", "words"),
    [
        (Topic("layout.truth.key", 2, 2_000_000), "layout.predictions.key has 4, layout.truth.key has 2"),
        (Topic("layout.notify.one", 3, 2_000_000), "expected one partition, for repartition: one, found 3"),
        (Topic("layout.truth.key", 4), "max.message.bytes of at least 1114112, found 1048576"),
        (Topic("layout.truth.key", 4, 2_000_000, compacted=True), "cleanup.policy=delete"),
        (Topic("layout.truth.key", 4, 2_000_000, keeps_time=False), "message.timestamp.type=CreateTime"),
    ],
)
def test_a_copy_that_would_lose_something_is_refused(tmp_path: Path, topic: Topic, words: str) -> None:
    """The halves of a pair must meet, a whole stream be one, and each message fit and stay as it is."""
    plan = repartitioned(tmp_path)
    found = {one.name: one for one in lacking(plan, {}, 4)} | {topic.name: topic}

    assert words in "\n".join(mistakes(plan, found))


def test_a_worker_writes_copies_and_no_inputs(tmp_path: Path) -> None:
    """It reads and writes its own topics, and may commit how far it has copied."""
    given = {(one.process, one.kind, one.name): one.operations for one in rights(repartitioned(tmp_path))}

    assert given["worker", "topic", "layout.truth.key"] == ("Read", "Write", "Describe", "DescribeConfigs")
    assert "Write" not in given["worker", "topic", "truth"]
    assert given["worker", "group", "manometer.layout.repartition"] == ("Read", "Describe")


def test_joined_streams_are_copied_in_step(tmp_path: Path) -> None:
    """No half of a pair waits for one that was not copied yet; what is read alone goes alone."""
    assert in_step(repartitioned(tmp_path)) == [("notify",), ("predictions", "truth")]
    assert in_step(repartitioned(tmp_path, predictions="")) == [("notify",), ("truth",)]
