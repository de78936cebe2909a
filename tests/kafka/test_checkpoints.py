"""Checkpoints, owners and ticks: what is saved when, who may save it, and what a new owner does first."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.events import Alert
from engine.kafka.clients import Kafka, ProducerFenced
from engine.kafka.topics import transactional_id
from engine.kafka.worker import Failed, Worker
from engine.plan import Plan
from engine.times import SECOND
from tests.engine.embedded.running import BEGUN, report
from tests.kafka import cluster
from tests.kafka.chaos import gaps
from tests.kafka.cluster import Written
from tests.kafka.working import PATIENCE, plan_of, program, run_to, saved, work
from tests.services.broker import Broker


def keys(name: str, **stream: Any) -> dict[str, Any]:
    """Write a workflow that counts, and notices silence after half a minute of event time."""
    return {
        "workflow": name,
        "streams": {"notify": {"topic": f"{name}.notify", "decode": "sensors", **stream}},
        "monitors": [
            {"use": "record_count", "from": "notify"},
            {"use": "health", "from": "notify", "with": {"silent_after": "30s"}},
        ],
        "archive": {"topic": f"{name}.archive"},
        "rejects": {"topic": f"{name}.rejects"},
    }


def made(broker: Broker, folder: Path, partitions: int = 1, **stream: Any) -> tuple[Plan, Path]:
    """Make a workflow with the topics that it needs."""
    plan, path = plan_of(folder, keys(cluster.fresh("checkpoints"), **({"idle_after": "off"} | stream)))
    cluster.create_all(broker.address, plan, partitions)
    return plan, path


def send(broker: Broker, plan: Plan, first: int, count: int) -> None:
    """Write reports, one a second."""
    messages = [Written(report(second), b"e1") for second in range(first, first + count)]
    cluster.write(broker.address, plan.streams["notify"].topic, messages)


def place(plan: Plan) -> tuple[str, int]:
    """Name the only partition of the input."""
    return plan.streams["notify"].topic, 0


def alerts(broker: Broker, plan: Plan) -> list[tuple[str, bool, float]]:
    """Give the alerts of the archive: name, whether firing, and seconds after the beginning."""
    found = [emission for one in cluster.archive(broker.address, plan) for emission in one.emissions]
    return [(a.name, a.firing, (a.time - BEGUN) / SECOND) for a in found if isinstance(a, Alert)]


def test_a_second_worker_goes_on_where_the_first_was(broker: Broker, tmp_path: Path) -> None:
    """Sums go on, nothing is emitted twice, and each offset is covered once."""
    plan, _ = made(broker, tmp_path)
    send(broker, plan, 0, 10)
    run_to(broker, plan, {place(plan): 10})
    send(broker, plan, 10, 10)
    run_to(broker, plan, {place(plan): 20})

    archived = cluster.archive(broker.address, plan)
    sums = [json.loads(line)["value"] for line in cluster.emissions(archived) if "records_total" in line]
    assert sums == [float(number) for number in range(1, 21)]
    assert gaps(archived, ("notify", place(plan)[0], "0"), 20) == []
    spans = [(int(one.headers["first"]), int(one.headers["last"])) for one in archived]
    assert [first for first, _ in spans[1:]] == [last + 1 for _, last in spans[:-1]]
    assert cluster.committed(broker.address, plan, *place(plan)) == 20


def test_what_emits_nothing_is_covered_too(broker: Broker, tmp_path: Path) -> None:
    """Records that nobody wants are covered by an empty array at the checkpoint."""
    plan, _ = made(broker, tmp_path)
    odd = json.dumps({"type": "sensor-report", "timestamp": "2023-11-14T22:13:20Z", "src": "e", "tap": "x", "data": 1})
    cluster.write(broker.address, place(plan)[0], [Written(odd.encode(), b"e")] * 7)

    run_to(broker, plan, {place(plan): 7})

    (one,) = cluster.archive(broker.address, plan)
    assert (one.headers["first"], one.headers["last"], one.headers["part"], one.emissions) == ("0", "6", "1/1", [])


def test_a_new_owner_fences_the_old_one(broker: Broker, tmp_path: Path) -> None:
    """From the moment it starts the old one can write no checkpoint, and what it had begun is never seen."""
    plan, _ = made(broker, tmp_path)
    kafka, topic = Kafka(broker.address), f"{plan.workflow}.state"
    ident = transactional_id(plan, "notify", 0)

    async def fence() -> dict[bytes, bytes]:
        old, new = kafka.states(topic, 0, ident), kafka.states(topic, 0, ident)
        await old.start()
        await old.write([(b"k", b"old")])
        await new.start()
        with pytest.raises(ProducerFenced):
            await old.write([(b"k", b"late"), (b"other", b"late")])
        await new.write([(b"k", b"new"), (b"gone", b"x")])
        await new.write([(b"gone", None)])
        found = await kafka.read_all(topic, 0)
        await old.stop()
        await new.stop()
        return found

    assert asyncio.run(fence()) == {b"k": b"new"}


def test_many_states_are_one_transaction(broker: Broker, tmp_path: Path) -> None:
    """More than fits into one batch of a producer is written and read back whole."""
    plan, _ = made(broker, tmp_path)
    kafka, topic = Kafka(broker.address), f"{plan.workflow}.state"
    given = {f"key{number}".encode(): bytes(300) for number in range(20_000)}

    async def through() -> dict[bytes, bytes]:
        states = kafka.states(topic, 0, "many")
        await states.start()
        await states.write(given.items())
        await states.stop()
        return await kafka.read_all(topic, 0)

    assert asyncio.run(through()) == given


def test_a_state_that_does_not_decode_begins_fresh(broker: Broker, tmp_path: Path) -> None:
    """It is told by `StateReset`; everything else goes on."""
    plan, _ = made(broker, tmp_path)
    send(broker, plan, 0, 5)
    run_to(broker, plan, {place(plan): 5})
    (name,) = [name for _, name in cluster.state(broker.address, plan) if name[1:3] == ("series", "record_count")]
    _write_state(broker, plan, {json.dumps(name, separators=(",", ":")).encode(): b"\xc1"})
    send(broker, plan, 5, 1)

    run_to(broker, plan, {place(plan): 6})

    assert [(name, firing) for name, firing, _ in alerts(broker, plan)] == [("StateReset", True)]
    totals = [line for line in cluster.emissions(cluster.archive(broker.address, plan)) if "records_total" in line]
    assert '"value":1.0' in totals[-1]


def _write_state(broker: Broker, plan: Plan, records: dict[bytes, bytes]) -> None:
    async def write() -> None:
        states = Kafka(broker.address).states(f"{plan.workflow}.state", 0, "somebody")
        await states.start()
        await states.write(records.items())
        await states.stop()

    asyncio.run(write())


def test_silence_is_noticed_while_nothing_comes(broker: Broker, tmp_path: Path) -> None:
    """The time of an idle stream moves by the wall time that passed, no further, and what is due fires once."""
    plan, _ = made(broker, tmp_path, idle_after="1s")
    send(broker, plan, 0, 1)
    cluster.write(broker.address, place(plan)[0], [Written(report(28, engine="e2"), b"e2")])
    worker = Worker(plan, Kafka(broker.address))

    asyncio.run(work(worker, lambda: any(lane.pipeline.firing for lane in worker.lanes.running)))
    run_to(broker, plan, {place(plan): 2})

    assert alerts(broker, plan) == [("EngineSilent", True, 30.0)]
    (tick,) = [one for one in cluster.archive(broker.address, plan) if one.headers.get("cause") == "tick"]
    assert "first" not in tick.headers


def test_a_tick_that_was_saved_is_done_by_the_next_owner(broker: Broker, tmp_path: Path) -> None:
    """Killed between the tick's checkpoint and its timers: the timers fire once, at the time that was saved."""
    plan, _ = made(broker, tmp_path)
    send(broker, plan, 0, 1)
    run_to(broker, plan, {place(plan): 1})
    moved = msgspec.msgpack.encode({"notify": BEGUN + 45 * SECOND})
    _write_state(broker, plan, {b'["notify","tick"]': moved})
    worker = Worker(plan, Kafka(broker.address))

    def acted() -> bool:
        return any(lane.checkpoints for lane in worker.lanes.running)

    asyncio.run(work(worker, acted))
    send(broker, plan, 50, 1)
    run_to(broker, plan, {place(plan): 2})

    assert alerts(broker, plan) == [("EngineSilent", True, 30.0), ("EngineSilent", False, 50.0)]
    assert (0, ("notify", "tick")) in cluster.state(broker.address, plan)
    assert cluster.state(broker.address, plan)[0, ("notify", "tick")] is None


def test_an_owner_that_was_away_proves_itself_before_it_emits(broker: Broker, tmp_path: Path) -> None:
    """Where streams tick, a worker that another has replaced emits nothing more: it would not know of the ticks."""
    plan, _ = made(broker, tmp_path, idle_after="1s")
    worker, kafka = Worker(plan, Kafka(broker.address)), Kafka(broker.address)
    another = kafka.states(f"{plan.workflow}.state", 0, transactional_id(plan, "notify", 0))

    async def replace() -> None:
        stop = asyncio.Event()
        running = asyncio.create_task(worker.run(stop))
        while not worker.lanes.ready:  # noqa: ASYNC110 - as whoever asks /readyz
            await asyncio.sleep(0.05)
        await another.start()
        await asyncio.sleep(0.7)  # longer than a proof lasts: half of idle_after
        await asyncio.to_thread(send, broker, plan, 0, 3)
        await asyncio.sleep(2)
        stop.set()
        await running
        await another.stop()

    asyncio.run(replace())

    assert cluster.archive(broker.address, plan) == []
    assert cluster.committed(broker.address, plan, *place(plan)) is None


def test_recorded_data_stands_still(broker: Broker, tmp_path: Path) -> None:
    """With `idle_after: off` data of long ago makes nobody silent."""
    plan, _ = made(broker, tmp_path)
    send(broker, plan, 0, 3)
    worker = Worker(plan, Kafka(broker.address))
    begun = time.monotonic()

    asyncio.run(work(worker, lambda: saved(worker, {place(plan): 3}) and time.monotonic() - begun > 4))

    assert alerts(broker, plan) == []


def test_what_cannot_be_written_ends_the_worker_without_a_commit(broker: Broker, tmp_path: Path) -> None:
    """Emissions that the archive refuses: the process ends with the reason, and nothing is committed or saved."""
    plan, _ = made(broker, tmp_path)
    worker = Worker(plan, Kafka(broker.address))

    async def fail() -> None:
        stop = asyncio.Event()
        running = asyncio.create_task(worker.run(stop))
        while not worker.lanes.ready:  # noqa: ASYNC110 - as whoever asks /readyz
            await asyncio.sleep(0.05)
        await asyncio.to_thread(_narrow, broker, plan.archive)
        await asyncio.to_thread(send, broker, plan, 0, 10)
        async with asyncio.timeout(PATIENCE):
            await running

    with pytest.raises(Failed, match="MessageSizeTooLarge"):
        asyncio.run(fail())

    assert cluster.committed(broker.address, plan, *place(plan)) is None
    assert cluster.state(broker.address, plan) == {}


def _narrow(broker: Broker, topic: str) -> None:
    """Make a topic anew so that it takes nothing of size."""
    cluster.delete(broker.address, topic)
    cluster.create(broker.address, topic, max_message_bytes=200)


def test_sigterm_hands_over_in_order(broker: Broker, tmp_path: Path) -> None:
    """Exit code 0 within ten seconds, all that was read is saved and committed, and the next one repeats nothing."""
    plan, path = made(broker, tmp_path, partitions=2)
    send(broker, plan, 0, 200)
    worker = program(broker, path, tmp_path / "log")
    worker.wait_for(lambda: bool(cluster.read(broker.address, plan.archive)))
    begun = time.monotonic()

    code = worker.stop()

    assert (code, time.monotonic() - begun < 10) == (0, True), worker.tail()
    totals = {number: cluster.committed(broker.address, plan, place(plan)[0], number) for number in range(2)}
    ends = {(place(plan)[0], number): end for number, end in totals.items() if end}
    run_to(broker, plan, ends)
    found = cluster.emissions(cluster.archive(broker.address, plan))
    assert len(found) == len(set(found))
