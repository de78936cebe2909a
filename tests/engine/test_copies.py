"""Copies of messages for a repartitioned topic, and what a pipeline makes of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.copies import Copies
from engine.events import Message, encode
from engine.origins import ORIGIN, ORIGIN_KEY
from engine.partitioner import partition_of
from engine.pipeline import Pipeline
from engine.plan import Plan
from engine.times import HOUR, SECOND
from tests.kafka.working import plan_of

BEGUN = 1_700_000_000 * SECOND


def shop(folder: Path, kind: str = "one", **stream: Any) -> Plan:
    """Read a workflow of one stream that is repartitioned."""
    orders = {"topic": "orders", "decode": "json", "time": "at", "key": "id", "repartition": kind, **stream}
    keys = {
        "workflow": "shop",
        "streams": {"orders": orders},
        "monitors": [
            {"use": "arrival", "from": "orders"},
            {"use": "threshold", "from": "orders", "with": {"field": "price", "above": 10, "by": "id"}},
        ],
        "archive": {"topic": "archive"},
    }
    return plan_of(folder, keys)[0]


def order(second: int, offset: int | None = None, partition: int = 0, **more: Any) -> Message:
    """Make an order, so many seconds after the beginning."""
    value = json.dumps({"id": f"o{second}", "at": BEGUN / SECOND + second, "price": second}).encode()
    found = Message("orders", partition, second if offset is None else offset, BEGUN + second * SECOND, b"k", value)
    return msgspec.structs.replace(found, **more)


def made(plan: Plan, *messages: Message, partitions: int = 1) -> list[tuple[int | None, Message]]:
    """Make copies."""
    stream = plan.streams["orders"]
    return list(Copies(stream, f"shop.orders.{stream.repartition}", partitions).of(messages))


def test_one_keeps_everything_and_tells_the_origin(tmp_path: Path) -> None:
    """Bytes, key, time and headers are those of the message; a header more says where it lay."""
    given = order(3, 17, 2, headers=(("trace", b"t"), (ORIGIN, b"forged/0/0")))

    ((time, copy),) = made(shop(tmp_path), given)

    assert time == BEGUN + 3 * SECOND
    assert (copy.topic, copy.partition, copy.offset) == ("shop.orders.one", 0, 17)
    assert (copy.value, copy.key, copy.time) == (given.value, given.key, given.time)
    assert copy.headers == (("trace", b"t"), (ORIGIN, b"orders/2/17"))


def test_key_keys_the_copy_by_the_record(tmp_path: Path) -> None:
    """Kafka's default partitioner leads the copy by the field; the key that the message had is kept beside it."""
    ((_, copy),) = made(shop(tmp_path, "key"), order(3), partitions=4)

    assert (copy.key, copy.partition) == (b"o3", partition_of("o3", 4))
    assert dict(copy.headers)[ORIGIN_KEY] == b"k"


@pytest.mark.parametrize("value", [b"\xff", None, b"[]", b'{"at": "no time"}'])
@pytest.mark.parametrize("kind", ["one", "key"])
def test_what_is_no_record_is_copied_as_it_is(tmp_path: Path, kind: str, value: bytes | None) -> None:
    """Without a time, under its own key; without one it goes by the number of its partition."""
    bad = order(3, partition=6, value=value)

    ((time, copy), (_, other)) = made(shop(tmp_path, kind), bad, msgspec.structs.replace(bad, key=None), partitions=4)

    assert (time, copy.value, copy.key, copy.partition) == (None, value, b"k", partition_of("k", 4))
    assert (other.key, other.partition) == (None, 2)


def test_a_time_that_is_refused_holds_nobody_back(tmp_path: Path) -> None:
    """What the pipeline rejects for its time is copied at its place, and moves no partition ahead."""
    early = order(3, time=BEGUN - 2 * HOUR)

    assert made(shop(tmp_path), early)[0][0] is None
    assert made(shop(tmp_path, ahead="off"), early)[0][0] == BEGUN + 3 * SECOND


def test_without_a_field_the_messages_time_counts(tmp_path: Path) -> None:
    """As in the pipeline; where there is none the offset stands for it."""
    plan = shop(tmp_path)
    quiet = Plan(workflow="shop", streams={"orders": plan.streams["orders"]}, monitors=())
    stream = msgspec.structs.replace(quiet.streams["orders"], decoder=type(plan.streams["orders"].decoder)(_settings()))

    times = [time for time, _ in Copies(stream, "copy", 1).of([order(3), order(3, time=None)])]

    assert times == [BEGUN + 3 * SECOND, 4 * SECOND]


def _settings() -> Any:
    from engine.decoders import StreamSettings  # noqa: PLC0415 - for this test alone

    return StreamSettings()


def log(plan: Plan, *messages: Message) -> list[Message]:
    """Give copies as they lie on their topic."""
    found = [copy for _, copy in made(plan, *messages)]
    return [msgspec.structs.replace(copy, offset=place * 2) for place, copy in enumerate(found)]


def pipeline(plan: Plan) -> Pipeline:
    """Make the pipeline that reads the copies."""
    (group,) = (group for group in plan.groups(repartitioned=True) if group.name == "orders@one")
    return Pipeline(plan, group)


@pytest.mark.parametrize("cut", range(1, 8))
def test_an_origin_is_applied_once_under_every_cut(tmp_path: Path, cut: int) -> None:
    """Repeats change nothing, also behind a restart between any two messages, and the watermark is behind them."""
    plan = shop(tmp_path)
    once = [order(0), order(1, 0, 1), order(2), order(3, 1, 1)]
    whole = log(plan, *once, *once[1:])
    quiet = pipeline(plan)
    wanted = quiet.apply("orders", log(plan, *once))
    first = pipeline(plan)
    emissions = list(first.apply("orders", whole[:cut]).emissions)

    second = pipeline(plan)
    second.restore(first.snapshot())
    emissions += second.apply("orders", whole[cut:]).emissions

    assert list(map(encode, emissions)) == list(map(encode, wanted.emissions))
    assert second.offsets == {"orders": whole[-1].offset + 1}
    assert first.counts.skipped + second.counts.skipped == 3


def test_a_reject_is_named_by_its_origin(tmp_path: Path) -> None:
    """Topic, partition, offset, key and headers are those of the source message; so a retry goes to its topic."""
    plan = shop(tmp_path)
    bad = order(1, 9, 3, value=b"\xff", headers=(("trace", b"t"),))
    group = msgspec.structs.replace(pipeline(plan).group, owns=frozenset(["orders"]))

    (reject,) = Pipeline(plan, group).apply("orders", log(plan, order(0), bad)).rejects

    assert reject.message == bad
    assert reject.headers()["reason"] == "encoding"


def test_one_group_owns_what_is_no_record(tmp_path: Path) -> None:
    """The group that reads the topic itself rejects it; the one that reads the copy counts it."""
    plan = shop(tmp_path)
    itself, copied = plan.groups(repartitioned=True)
    bad = order(1, value=b"\xff")

    assert (itself.name, len(Pipeline(plan, itself).apply("orders", [bad]).rejects)) == ("orders", 1)
    assert (copied.name, len(Pipeline(plan, copied).apply("orders", log(plan, bad)).rejects)) == ("orders@one", 0)


def test_groups_say_what_they_read(tmp_path: Path) -> None:
    """Without topics for it nobody reads a copy; a stream of several partitions is then read whole in one process."""
    plan = shop(tmp_path)

    assert [(one.name, sorted(one.repartitioned)) for one in plan.groups(repartitioned=True)] == [
        ("orders", []),
        ("orders@one", ["orders"]),
    ]
    assert [(one.name, one.whole) for one in plan.groups(apart=["orders"])] == [("orders", False), ("orders@one", True)]
    assert [one.name for one in plan.groups()] == ["orders"]
