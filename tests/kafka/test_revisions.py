"""Files of a workflow follow each other: who has an older one waits, and what a newer one lacks is forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.kafka import revisions
from engine.kafka.clients import Kafka
from engine.kafka.revisions import Outdated, Revisions, numbered
from engine.kafka.worker import Worker
from engine.plan import Plan
from engine.remembered import Watermark
from tests.engine.embedded.running import report
from tests.kafka import cluster
from tests.kafka.cluster import Written
from tests.kafka.working import PATIENCE, plan_of, run_to, saved, work
from tests.services.broker import Broker


class Files:
    """The files of one workflow, one after the other, and the topics that they need."""

    def __init__(self, broker: Broker, folder: Path, partitions: int = 1) -> None:
        """Make the topics."""
        self.name = cluster.fresh("revisions")
        self._folder = folder
        cluster.create_all(broker.address, self.file("throughput", other="arrival"), partitions)

    def file(self, *uses: str, **others: str) -> Plan:
        """Read a file with these monitors on `notify`, and on other streams; a stream that nobody reads is left out."""
        read = {
            "notify": {"topic": f"{self.name}.notify", "decode": "sensors", "idle_after": "off"},
            "other": {"topic": f"{self.name}.other", "decode": "json", "time": "t", "idle_after": "off"},
        }
        monitors = [{"use": use, "from": "notify"} for use in uses]
        monitors += [{"use": use, "name": f"{use}_{stream}", "from": stream} for stream, use in others.items()]
        keys = {
            "workflow": self.name,
            "streams": {name: told for name, told in read.items() if name == "notify" or name in others},
            "monitors": monitors,
            "archive": {"topic": f"{self.name}.archive"},
            "rejects": {"topic": f"{self.name}.rejects"},
        }
        return plan_of(self._folder, keys)[0]


def send(broker: Broker, plan: Plan, *seconds: int, stream: str = "notify", partition: int = 0) -> None:
    """Write a message for each second."""
    lines = [report(second) if stream == "notify" else b'{"t":%d}' % second for second in seconds]
    topic = plan.streams[stream].topic
    cluster.write(broker.address, topic, [Written(line, b"e1", partition) for line in lines])


def at(plan: Plan, **offsets: int) -> dict[tuple[str, int], int]:
    """Name offsets of streams on partition 0."""
    return {(plan.streams[stream].topic, 0): offset for stream, offset in offsets.items()}


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - what is waited for is looked at
            await asyncio.sleep(0.05)


def revision(broker: Broker, plan: Plan, group: str = "notify") -> int:
    """Read which file wrote a watermark."""
    data = cluster.state(broker.address, plan)[0, (group, "watermark")]
    return msgspec.msgpack.decode(data or b"", type=Watermark).revision


def test_files_have_numbers_in_the_order_in_which_they_came(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that came twice keeps its number; one that is older than all that are kept counts as new."""
    monkeypatch.setattr(revisions, "KEPT", 2)
    known = Revisions()
    for file in "abc":
        known = known.followed(file, ["g"])

    assert [known.number(file) for file in "abcd"] == [None, 2, 3, None]
    assert known.newest == 3


def test_each_file_gets_a_number_of_its_own(broker: Broker, tmp_path: Path) -> None:
    """Six workers with three files begin at once: three numbers, the same for the same file, and one is the newest."""
    files = Files(broker, tmp_path)
    plans = [files.file("throughput"), files.file("record_count"), files.file("throughput", "record_count")] * 2
    counts = {f"{files.name}.{name}": 1 for name in ("notify", "other", "state")}

    async def all_at_once() -> list[Any]:
        kafka = Kafka(broker.address)
        return await asyncio.gather(*(numbered(plan, kafka, counts) for plan in plans), return_exceptions=True)

    first = asyncio.run(all_at_once())
    second = asyncio.run(all_at_once())

    numbers = {one.hash: one.revision for one in first if isinstance(one, Plan)}
    assert set(numbers.values()) <= {1, 2, 3}
    assert len(numbers) == len(set(numbers.values()))
    assert [one for one in first if not isinstance(one, Plan | Outdated)] == []
    assert [one.revision for one in second if isinstance(one, Plan)] == [3, 3]
    assert sum(isinstance(one, Outdated) for one in second) == 4


def test_a_worker_with_an_older_file_waits(broker: Broker, tmp_path: Path) -> None:
    """It takes no partition, forgets nothing, and says why it is not ready; whoever has the newer file goes on."""
    files = Files(broker, tmp_path)
    old, new = files.file("throughput"), files.file("throughput", "record_count")
    send(broker, old, 0, 1)
    run_to(broker, old, at(old, notify=2))
    send(broker, old, 2)
    run_to(broker, new, at(new, notify=3))
    send(broker, old, 3)
    before = cluster.state(broker.address, old)
    worker = Worker(old, Kafka(broker.address))
    told: list[str] = []

    async def waits() -> None:
        stop = asyncio.Event()
        running = asyncio.create_task(worker.run(stop))
        await until(lambda: worker.unready()[0].startswith("the workflow file"))
        await asyncio.sleep(2)
        told.extend(worker.unready())
        assert (worker.lanes.places, worker.alive(), running.done()) == (None, None, False)
        stop.set()
        await running

    asyncio.run(waits())

    assert "revision 1, and revision 2 has run; put the newer file in its place and send SIGHUP" in told[0]
    assert cluster.state(broker.address, old) == before
    assert cluster.committed(broker.address, old, *next(iter(at(old, notify=0)))) == 3
    assert revision(broker, old) == 2
    run_to(broker, new, at(new, notify=4))
    totals = [line for line in cluster.emissions(cluster.archive(broker.address, new)) if "records_total" in line]
    assert len(totals) == len(set(totals)) == 2


def test_a_worker_that_runs_lets_go_when_a_newer_file_comes(broker: Broker, tmp_path: Path) -> None:
    """The newer one gets all partitions in order, and nothing is read twice."""
    files = Files(broker, tmp_path, partitions=2)
    old, new = files.file("throughput"), files.file("throughput", "record_count")
    former, latter = Worker(old, Kafka(broker.address)), Worker(new, Kafka(broker.address))

    async def both() -> None:
        stop = asyncio.Event()
        running = [asyncio.create_task(former.run(stop))]
        await until(lambda: former.lanes.ready)
        await asyncio.to_thread(send, broker, old, 0, 1)
        await asyncio.to_thread(send, broker, old, 10, 11, partition=1)
        await until(lambda: saved(former, {(old.streams["notify"].topic, number): 2 for number in range(2)}))
        running.append(asyncio.create_task(latter.run(stop)))
        await until(lambda: len(latter.lanes.places or ()) == 2 and latter.lanes.ready)
        assert former.unready()[0].startswith("the workflow file")
        await asyncio.to_thread(send, broker, old, 2, 3)
        await until(lambda: saved(latter, at(new, notify=4)))
        stop.set()
        await asyncio.gather(*running)

    asyncio.run(both())

    found = cluster.emissions(cluster.archive(broker.address, new))
    assert len(found) == len(set(found))
    assert sum("records_per_second" in line for line in found) == 6


def test_what_a_newer_file_lacks_is_forgotten(broker: Broker, tmp_path: Path) -> None:
    """States of a monitor and of a whole group that are gone leave the topic, also of partitions nobody reads now."""
    files = Files(broker, tmp_path)
    old, new = files.file("throughput", "record_count", other="arrival"), files.file("throughput")
    send(broker, old, 0, 1)
    send(broker, old, 0, 1, stream="other")
    run_to(broker, old, at(old, notify=2, other=2))
    had = {name[:3] for _, name in cluster.state(broker.address, old)}

    worker = Worker(new, Kafka(broker.address))
    asyncio.run(work(worker, lambda: any(lane.checkpoints for lane in worker.lanes.running) and worker.lanes.ready))

    left = {name[:3] for (_, name), data in cluster.state(broker.address, new).items() if data is not None}
    assert {("notify", "series", "record_count"), ("other", "watermark")} <= had
    assert {("notify", "series", "throughput"), ("notify", "watermark")} <= left
    assert not any(name[0] == "other" or name[1:3] == ("series", "record_count") for name in left)


@pytest.mark.parametrize("first", [True, False], ids=["in the first file", "in a later file"])
def test_a_new_group_begins_where_it_should(broker: Broker, tmp_path: Path, *, first: bool) -> None:
    """A group of the first file begins at the beginning, one that a later file adds at the end."""
    files = Files(broker, tmp_path)
    old, new = files.file("throughput"), files.file("throughput", other="arrival")
    send(broker, new, 0, 1)
    send(broker, new, 0, 1, 2, stream="other")
    run_to(broker, new if first else old, at(new, notify=2))

    ahead = asyncio.run(_registered(broker, new))
    send(broker, new, 3, 4, stream="other")
    run_to(broker, new, at(new, notify=2, other=5))

    firsts = _firsts(broker, new)
    assert firsts == {"notify": 0, "other": 0 if first else 3}
    assert ahead == (1 if first else 2)


async def _registered(broker: Broker, plan: Plan) -> int:
    counts = {f"{plan.workflow}.{name}": 1 for name in ("notify", "other", "state")}
    return (await numbered(plan, Kafka(broker.address), counts)).revision


def _firsts(broker: Broker, plan: Plan) -> Mapping[str, int]:
    archived = cluster.archive(broker.address, plan)
    return {one.headers["group"]: int(one.headers["first"]) for one in reversed(archived) if "first" in one.headers}


def test_a_group_that_comes_back_begins_anew(broker: Broker, tmp_path: Path) -> None:
    """Nothing of its earlier life is left, also where nobody was there to forget it."""
    files = Files(broker, tmp_path)
    whole, less = files.file("throughput", other="arrival"), files.file("throughput")
    send(broker, whole, 0)
    send(broker, whole, 0, 1, 2, stream="other")
    run_to(broker, whole, at(whole, notify=1, other=3))
    asyncio.run(_registered(broker, less))
    again = msgspec.structs.replace(whole, hash=f"{whole.hash}+")
    asyncio.run(_registered(broker, again))

    names = {name for (_, name), data in cluster.state(broker.address, again).items() if data and name[0] == "other"}
    assert names == {("other", "watermark")}
    with pytest.raises(Outdated, match="a comment will do"):
        asyncio.run(_registered(broker, whole))
