"""Chaos: workers and the broker are stopped, killed and frozen from a seed while records flow; then all is proved."""

from __future__ import annotations

import json
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from threading import Thread
from typing import Any, Final

from benchmarks._reports import lines
from engine.partitioner import partition_of
from engine.plan import Plan
from tests.kafka import cluster
from tests.kafka.cluster import Archived, Written
from tests.kafka.flow import Flow
from tests.kafka.working import Oracle, ends, plan_of, program
from tests.services.broker import Broker
from tests.services.running import Program

ENGINES: Final = 200
PARTITIONS: Final = 4
WORKERS: Final = 3
FIRST: Final = 100
"""Messages of each topic that workers have begun to read before anything befalls them."""
ACTS: Final = ("add", "term", "kill", "freeze", "term", "kill", "freeze", "broker")
ENDED_IN_ORDER: Final = {0, 143, -15}
"""Exit codes after SIGTERM: handed over, or not yet begun."""
_BEGUN: Final = 1_700_000_000


def workflow(folder: Path) -> tuple[Plan, Path]:
    """Write a workflow of sensors and a joined pair of topics, on topics that nobody else has."""
    name = cluster.fresh("chaos")
    read = {"decode": "json", "time": "time", "key": "id", "idle_after": "off"}
    keys: dict[str, Any] = {
        "workflow": name,
        "streams": {
            "notify": {"topic": f"{name}.notify", "decode": "sensors", "idle_after": "off"},
            "predictions": {"topic": f"{name}.predictions", **read},
            "truth": {"topic": f"{name}.truth", **read},
        },
        "monitors": [
            *({"use": use, "from": "notify"} for use in ("throughput", "record_count", "resources", "health")),
            {
                "use": "prediction_divergence",
                "from": {"prediction": "predictions", "truth": "truth"},
                "with": {"threshold": 0.5, "wait": "30s", "window": "1m"},
            },
        ],
        "archive": {"topic": f"{name}.archive"},
        "rejects": {"topic": f"{name}.rejects"},
        "repeat": "1m",
    }
    return plan_of(folder, keys)


def reports(count: int, seed: int) -> list[Written]:
    """Make reports of 200 engines, keyed by them; one in a thousand is no report."""
    numbers = random.Random(seed)
    made = []
    for line in lines(count, ENGINES, seed):
        engine = json.loads(line)["src"]
        value = line if numbers.random() > 0.001 else b"\xff" + line
        made.append(Written(value, engine.encode(), partition_of(engine, PARTITIONS)))
    return made


def pairs(count: int, seed: int) -> tuple[list[Written], list[Written]]:
    """Make predictions and their truths a few seconds later, some of which never come."""
    numbers = random.Random(seed)
    predictions, truths = [], []
    for place in range(count):
        key, value = f"p{place}", numbers.gauss(0, 1)
        moment = _BEGUN + place * 0.05
        predictions.append((moment, key, value))
        if numbers.random() > 0.05:
            truths.append((moment + numbers.uniform(1, 8), key, value + numbers.gauss(0, 0.4)))
    return [_joined(*one) for one in predictions], [_joined(*one) for one in sorted(truths)]


def _joined(moment: float, key: str, value: float) -> Written:
    told = datetime.fromtimestamp(moment, timezone.utc).isoformat()
    data = json.dumps({"id": key, "time": told, "value": value}).encode()
    return Written(data, key.encode(), partition_of(key, PARTITIONS))


class Chaos:
    """A crowd of workers, and what befalls them."""

    def __init__(self, broker: Broker, path: Path, folder: Path, seed: int) -> None:
        """Begin with none."""
        self._broker = broker
        self._path = path
        self._folder = folder
        self._numbers = random.Random(seed)
        self._workers: list[Program] = []
        self._frozen: list[Program] = []
        self._count = 0
        self.done: Counter[str] = Counter()
        self.codes: list[int] = []

    def add(self) -> None:
        """Start a worker."""
        self._count += 1
        self._workers.append(program(self._broker, self._path, self._folder / f"worker{self._count}.log"))

    def act(self) -> None:
        """Wait a little, then do one of the things that happen."""
        time.sleep(self._numbers.uniform(0.5, 2.5))
        self._tidy()
        act = self._numbers.choice(ACTS)
        if len(self._workers) < 2 or (act == "add" and len(self._workers) < WORKERS):
            self.add()
            act = "add"
        elif act == "broker":
            self._broker.kill()
            time.sleep(self._numbers.uniform(0, 2))
            self._broker.start()
        elif act in {"term", "kill", "freeze"}:
            getattr(self, f"_{act}")(self._numbers.choice(self._workers))
        self.done[act] += 1

    def _term(self, worker: Program) -> None:
        self._workers.remove(worker)
        self.codes.append(worker.stop(12))

    def _kill(self, worker: Program) -> None:
        self._workers.remove(worker)
        worker.kill()

    def _freeze(self, worker: Program) -> None:
        """Stop a worker for longer than its session; it wakes when others have its partitions."""
        worker.process.send_signal(signal.SIGSTOP)
        self._workers.remove(worker)
        self._frozen.append(worker)
        Thread(target=self._wake, args=(worker, self._numbers.uniform(3, 11)), daemon=True).start()

    def _wake(self, worker: Program, seconds: float) -> None:
        time.sleep(seconds)
        with suppress(ProcessLookupError):
            worker.process.send_signal(signal.SIGCONT)

    def _tidy(self) -> None:
        """Replace those that ended by themselves, as whoever supervises them would."""
        for worker in [one for one in self._workers if not one.running]:
            self._workers.remove(worker)
            self.done[f"ended {worker.process.returncode}"] += 1
            self.add()

    def calm(self) -> None:
        """Let two workers run on."""
        self._tidy()
        while len(self._workers) < 2:
            self.add()

    def settle(self, finished: Callable[[], bool], seconds: float) -> None:
        """Wait until all is done.

        Raises:
            TimeoutError: it is not in time.
        """
        until = time.monotonic() + seconds
        while not finished():
            if time.monotonic() > until:
                raise TimeoutError("\n".join(f"{one.log.name}: {one.tail()}" for one in self._workers))
            self.calm()
            time.sleep(0.5)

    def end(self) -> None:
        """End all that was started; those that run have to end in order."""
        for worker in self._frozen:
            worker.kill()
        for worker in self._workers:
            worker.process.send_signal(signal.SIGTERM)
        self.codes += [worker.stop(12) for worker in self._workers]
        self._workers.clear()


def run(broker: Broker, folder: Path, seed: int, *, records: int, seconds: float) -> dict[str, Any]:
    """Run chaos for some seconds and prove that nothing is lost, nothing wrong, and repeats are identical."""
    plan, path = workflow(folder)
    cluster.create_all(broker.address, plan, PARTITIONS)
    predictions, truths = pairs(records // 10, seed)
    sent = {"notify": reports(records, seed), "predictions": predictions, "truth": truths}
    topics = {plan.streams[name].topic: written for name, written in sent.items()}
    flow = Flow(broker, {topic: written[FIRST:] for topic, written in topics.items()}, seconds)
    chaos = Chaos(broker, path, folder, seed)
    try:
        chaos.calm()
        for topic, written in topics.items():
            cluster.write(broker.address, topic, written[:FIRST])
        wait_until_read(broker, plan)
        flow.start()
        while flow.is_alive():
            chaos.act()
        flow.join()
        assert flow.error is None, flow.error
        chaos.calm()
        messages = [one for topic in topics for one in cluster.messages(broker.address, topic)]
        last = ends(messages)
        chaos.settle(lambda: saved(broker, plan, last), 60)
    finally:
        chaos.end()
    assert set(chaos.codes) <= ENDED_IN_ORDER, chaos.codes
    oracle = Oracle(plan, messages, PARTITIONS)
    archived = cluster.archive(broker.address, plan)
    prove(plan, archived, oracle, last)
    found = cluster.emissions(archived)
    told = {tuple(sorted(headers.items())) for headers, _ in cluster.rejects(broker.address, plan)}
    assert told == {tuple(sorted(one.headers().items())) for one in oracle.rejects}
    return {
        **chaos.done,
        "messages": len(messages),
        "emissions": len(set(found)),
        "repeats": len(found) - len(set(found)),
    }


def wait_until_read(broker: Broker, plan: Plan) -> None:
    """Wait until workers read, so that what befalls them befalls work."""
    until = time.monotonic() + 60
    while not cluster.archive(broker.address, plan):
        assert time.monotonic() < until, "no worker has begun to read"
        time.sleep(0.2)


def saved(broker: Broker, plan: Plan, last: dict[tuple[str, int], int]) -> bool:
    """Say whether the group has committed all that there is."""
    return all(cluster.committed(broker.address, plan, *place) == end for place, end in last.items())


def prove(plan: Plan, archived: Sequence[Archived], oracle: Oracle, last: dict[tuple[str, int], int]) -> None:
    """Check values against the one run, and that the headers cover every offset of every group."""
    found, wanted = set(cluster.emissions(archived)), set(oracle.emissions)
    assert not wanted - found, f"missing: {sorted(wanted - found)[:3]}"
    assert not found - wanted, f"never emitted: {sorted(found - wanted)[:3]}"
    groups = {"notify": "notify", "predictions": "predictions+truth", "truth": "predictions+truth"}
    for stream, group in groups.items():
        topic = plan.streams[stream].topic
        for partition in range(PARTITIONS):
            end = last.get((topic, partition), 0)
            assert gaps(archived, (group, topic, str(partition)), end) == []


def gaps(archived: Iterable[Archived], place: tuple[str, str, str], end: int) -> list[tuple[int, int]]:
    """Find the offsets of a group, topic and partition that no message of the archive covers."""
    parts: dict[tuple[int, int], set[str]] = {}
    for one in archived:
        if (one.headers["group"], one.headers.get("topic"), one.headers.get("partition")) == place:
            span = int(one.headers["first"]), int(one.headers["last"])
            parts.setdefault(span, set()).add(one.headers["part"])
    covered = sorted(span for span, found in parts.items() if _whole(found))
    missing, reached = [], 0
    for first, until in covered:
        if first > reached:
            missing.append((reached, first - 1))
        reached = max(reached, until + 1)
    return missing if reached >= end else [*missing, (reached, end - 1)]


def _whole(parts: set[str]) -> bool:
    counts = {int(part.partition("/")[2]) for part in parts}
    return any({f"{number}/{count}" for number in range(1, count + 1)} <= parts for count in counts)
