from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from archiver.following import Follower
from archiver.patience import Pace
from archiver.sink import Broken, Busy, Refused
from archiver.sinks.sqlite import SqliteSink, read_alerts, read_points
from archiver.tally import Tally
from engine.events import Emission, Metric
from engine.kafka.clients import Kafka
from tests.archiver.followed import NOON, committed, emissions_of, follow, publish, started, topics_of
from tests.archiver.pumping import Kept, raises
from tests.archiver.sinks.influx_store import bucket_of, read_back
from tests.kafka import cluster
from tests.services.broker import Broker
from tests.services.influxdb import ORG, TOKEN, InfluxDB
from tests.services.running import Program

QUICK = Pace(first=0.01, longest=0.05, broken=0.05)
JOINED = 120.0
"""Seconds. A member that was killed while it joined holds up the next one for a whole rebalance, and, where it was made
the leader, for a session on top of that: ten seconds alone on a machine, many times that on a busy one."""


def stored(path: Path) -> set[tuple[str, int, float | None]]:
    """Read what a SQLite store holds."""
    found: list[Emission] = [*read_points(path), *read_alerts(path)]
    return expected(found)


def drop_before(broker: Broker, topic: str, offset: int) -> None:
    """Let what is older leave a topic, as its age does."""

    async def drop() -> None:
        async with Kafka(broker.address).admin() as admin:
            await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=offset)})

    asyncio.run(drop())


def expected(emissions: Sequence[Emission]) -> set[tuple[str, int, float | None]]:
    """Give what it should hold."""
    return {(one.name, one.time, one.value) for one in emissions}


def test_what_the_topic_holds_is_written_and_committed(broker: Broker, tmp_path: Path) -> None:
    """Each emission is in the store, and the group's commit lies behind the last message, with the counts beside it."""
    plan, _ = topics_of(broker, tmp_path)
    emissions = emissions_of(plan, 1_000)
    publish(broker, plan, *[emissions[n : n + 101] for n in range(0, len(emissions), 101)], [])
    follower = Follower("sqlite", SqliteSink(tmp_path / "store.db"), plan, Kafka(broker.address))
    follow(follower, until=lambda: follower.status().position == 11)

    assert stored(tmp_path / "store.db") == expected(emissions)
    assert committed(broker, plan, "sqlite") == (11, Tally(emissions=1_010, written=1_010))
    assert follower.status().behind == 0


def test_nothing_is_committed_before_it_is_written(broker: Broker, tmp_path: Path) -> None:
    """A sink that is busy and broken gets the same again until it takes it; until then nothing is committed."""
    plan, _ = topics_of(broker, tmp_path)
    publish(broker, plan, emissions_of(plan, 10))
    seen: list[object] = []

    def look(_: Sequence[Emission]) -> Sequence[Refused]:
        seen.append(committed(broker, plan, "kept"))
        return []

    sink = Kept(raises(Busy()), raises(Broken("no")), raises(ValueError("bug")), look)
    follower = Follower("kept", sink, plan, Kafka(broker.address), pace=QUICK)
    follow(follower, until=lambda: follower.status().position == 1)

    assert seen == [None]
    assert len(sink.calls) == 4
    assert sink.calls[0] == sink.calls[3]
    assert sink.closed == 1
    assert committed(broker, plan, "kept") == (1, Tally(emissions=11, written=11))


def test_a_sink_that_takes_nothing_delays_only_itself(broker: Broker, tmp_path: Path) -> None:
    """Beside a sink that takes nothing, and one that never comes back, a third gets everything; both are told."""
    plan, _ = topics_of(broker, tmp_path)
    emissions = emissions_of(plan, 100)
    publish(broker, plan, emissions)
    ended = threading.Event()

    def hang(_: Sequence[Emission]) -> Sequence[Refused]:
        ended.wait()
        raise Busy

    def told() -> bool:
        behind[:] = [follower.status().behind for follower in (dead, hung, good)]
        return behind == [1, 1, 0]

    behind: list[int] = []
    kafka = Kafka(broker.address)
    dead = Follower("dead", Kept(*[raises(Broken("the disk is gone"))] * 1_000), plan, kafka, pace=QUICK)
    hung = Follower("hung", Kept(hang), plan, kafka, pace=QUICK)
    good = Follower("good", SqliteSink(tmp_path / "store.db"), plan, kafka)
    try:
        follow(
            dead, hung, good, until=lambda: good.status().position == 1 and dead.status().state == "broken" and told()
        )
    finally:
        ended.set()

    assert stored(tmp_path / "store.db") == expected(emissions)
    assert dead.status().error == "the disk is gone"
    assert behind == [1, 1, 0]
    assert committed(broker, plan, "dead") is None
    assert committed(broker, plan, "hung") is None


def test_what_is_refused_is_a_reject_and_what_expired_is_counted(broker: Broker, tmp_path: Path) -> None:
    """Refused emissions and messages that are none lie on the rejects topic before the commit; expired ones do not."""
    plan, _ = topics_of(broker, tmp_path)
    emissions: list[Emission] = [Metric("records_total", NOON + n, float(n)) for n in range(4)]
    publish(broker, plan, emissions[:2], emissions[2:])
    cluster.write(broker.address, plan.archive, [cluster.Written(b"no emissions", b"key")])

    def refuse(given: Sequence[Emission]) -> Sequence[Refused]:
        return [Refused(given[2], "too odd"), Refused(given[3], "too old", expired=True)]

    follower = Follower("kept", Kept(refuse), plan, Kafka(broker.address))
    follow(follower, until=lambda: follower.status().position == 3)

    found = [(headers, record.value) for headers, record in cluster.rejects(broker.address, plan)]
    assert {name: found[1][0][name] for name in ("reason", "detail", "topic", "partition", "offset")} == {
        "reason": "store",
        "detail": "kept: too odd",
        "topic": plan.archive,
        "partition": "0",
        "offset": "1",
    }
    assert found[1][1].startswith(b'{"type":"metric","name":"records_total"')
    assert (found[0][0]["reason"], found[0][1]) == ("encoding", b"no emissions")
    assert len(found) == 2
    tally = Tally(emissions=4, written=2, refused=1, expired=1, unreadable=1)
    assert committed(broker, plan, "kept") == (3, tally)


def test_counts_go_on_where_the_last_owner_stopped(broker: Broker, tmp_path: Path) -> None:
    """A second process of the same sink begins at the commit, and adds to its counts."""
    plan, _ = topics_of(broker, tmp_path)
    for n in range(2):
        publish(broker, plan, emissions_of(plan, 5, since=100 * n + 1), since=n)
        sink = Kept()
        follower = Follower("kept", sink, plan, Kafka(broker.address))
        follow(follower, until=lambda n=n, follower=follower: follower.status().position == n + 1)  # type: ignore[misc]  # bound now

        assert [len(call) for call in sink.calls] == [5]
    assert committed(broker, plan, "kept") == (2, Tally(emissions=10, written=10))


def test_what_left_the_topic_before_it_was_read_is_counted(broker: Broker, tmp_path: Path) -> None:
    """A log that begins behind the commit has lost something for this sink: it goes on, and says how much."""
    plan, _ = topics_of(broker, tmp_path)
    publish(broker, plan, emissions_of(plan, 1, since=1))
    follower = Follower("kept", Kept(), plan, Kafka(broker.address))
    follow(follower, until=lambda: follower.status().position == 1)
    publish(broker, plan, *[emissions_of(plan, 1, since=n) for n in range(2, 6)], since=1)
    drop_before(broker, plan.archive, 4)
    second = Follower("kept", Kept(), plan, Kafka(broker.address))
    follow(second, until=lambda: second.status().position == 5)

    assert second.lost == 3
    assert committed(broker, plan, "kept") == (5, Tally(emissions=2, written=2, lost=3))


@pytest.mark.parametrize("kills", [2, pytest.param(100, marks=pytest.mark.long)])
def test_killed_at_any_moment_the_store_is_whole(
    broker: Broker, influxdb: InfluxDB, tmp_path: Path, kills: int
) -> None:
    """A program that is killed again and again, while it begins or writes, leaves a store that equals the topic."""
    plan, path = topics_of(broker, tmp_path)
    emissions = emissions_of(plan, 300 * (kills + 1))
    (tmp_path / "token").write_text(TOKEN, encoding="ascii")
    bucket = bucket_of(influxdb, tmp_path)
    sink = f"influxdb={influxdb.url},org={ORG},bucket={bucket},token-file={tmp_path / 'token'}"
    chance = random.Random(kills)

    def send(number: int) -> None:
        publish(
            broker, plan, *[emissions_of(plan, 50, since=150 * number + 50 * k) for k in range(3)], since=3 * number
        )

    def comes_to(offset: int, running: Program) -> None:
        running.wait_for(lambda: (committed(broker, plan, "influxdb") or (0,))[0] >= offset, seconds=JOINED)

    for n in range(kills):
        send(2 * n)
        with started(broker, path, tmp_path / f"log{n}", sink) as running:
            running.wait_for(lambda: "readyz" in running.tail())
            if n % 2:  # the others are killed while they join
                comes_to(6 * n + 3, running)
            send(2 * n + 1)
            time.sleep(chance.uniform(0, 0.1 if n % 2 else 1))
            running.kill()
    send(2 * kills)
    send(2 * kills + 1)
    with started(broker, path, tmp_path / "log", sink) as running:
        comes_to(6 * (kills + 1), running)
        code = running.stop()

    assert code == 0
    assert expected(read_back(influxdb, bucket)) == expected(emissions)
    assert committed(broker, plan, "influxdb") == (
        6 * (kills + 1),
        Tally(emissions=len(emissions), written=len(emissions)),
    )
