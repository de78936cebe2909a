from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from engine.events import Alert
from engine.kafka.clients import Kafka
from engine.kafka.worker import Worker
from engine.partitioner import partition_of
from tests.kafka import cluster
from tests.kafka.cluster import Written
from tests.kafka.working import PATIENCE, plan_of
from tests.manometer.commands import counts, run
from tests.manometer.on_kafka import BAD, GOOD, Case, case, keys
from tests.services.secured import Secured


def test_a_replay_of_the_recording_equals_the_archive(broker: Secured, tmp_path: Path) -> None:
    """Two partitions, a reject among the messages: the recording gives what the worker gave."""
    given = case(broker, tmp_path, create=False)
    cluster.create_all(broker.address, given.plan, 2)
    messages = [Written(value, b"e1", number % 2) for number, value in enumerate([*GOOD, BAD])]
    cluster.write(broker.address, given.topic, messages)
    given.work()
    done = run("record", given.path, *given.kafka, "--out", tmp_path / "rec", "--until-end")
    replayed = run("replay", given.path, "--input", f"notify={tmp_path / 'rec' / 'notify.jsonl'}")

    assert (done.exit_code, counts(done.stderr)) == (0, {"notify": 4})
    archived = cluster.emissions(cluster.archive(broker.address, given.plan))
    assert sorted(replayed.stdout.splitlines()) == sorted(archived)
    assert counts(replayed.stderr)["rejects"] == 1


SILENCE: dict[str, Any] = {
    "streams": {
        "notify": {"topic": "SMALL.notify", "decode": "sensors", "idle_after": "1s"},
        **{
            side: {"topic": f"SMALL.{side}", "decode": "json", "key": "id", "idle_after": "1s", "lateness": "1s"}
            for side in ("predictions", "truth")
        },
    },
    "monitors": [
        {"use": "health", "from": "notify", "with": {"silent_after": "2s", "expected": True}},
        {"use": "arrival", "from": "truth", "with": {"silent_after": "3s"}},
        {
            "use": "prediction_divergence",
            "from": {"prediction": "predictions", "truth": "truth"},
            "with": {"threshold": 0.5, "wait": "1s"},
        },
    ],
    "engines": {"e1": "m", "e3": "m"},
    "repeat": "5s",
}


def silence(broker: Secured, folder: Path, partitions: int) -> Case:
    """Make the workflow and its topics."""
    name = cluster.fresh("silence")
    told = {**keys(name), **SILENCE}
    if partitions > 1:  # its monitor has to see the whole stream
        told["monitors"] = [one for one in told["monitors"] if one["use"] != "arrival"]
    plan, path = plan_of(folder, json.loads(json.dumps(told).replace("SMALL", name)))
    cluster.create_all(broker.address, plan, partitions)
    return Case(broker, plan, path)


def say(given: Case, number: int, partitions: int) -> None:
    """Write one message to each partition of each topic, of now."""
    engines = {partition_of(engine, 2): engine for engine in given.plan.engines}
    for partition in range(partitions):
        engine, now = engines[partition], datetime.now(timezone.utc).isoformat()
        state = json.dumps({"type": "engine-state", "timestamp": now, "state": "running", "src": engine}).encode()
        key = next(name for name in map(str, range(10 * number, 99)) if partition_of(name, partitions) == partition)
        half = json.dumps({"id": key, "value": partition}).encode()
        for name, stream in given.plan.streams.items():
            whose, value = (engine, state) if name == "notify" else (key, half)
            cluster.write(given.broker.address, stream.topic, [Written(value, whose.encode(), partition)])


def silent(given: Case) -> int:
    """Count how often something fell silent."""
    found = [one for part in cluster.archive(given.broker.address, given.plan) for one in part.emissions]
    return sum(isinstance(one, Alert) and one.firing and not one.repeat for one in found)


async def fall_silent_twice(given: Case, partitions: int) -> None:
    """Let a worker see messages, then silence, and all of it once more."""
    stop, worker = asyncio.Event(), Worker(given.plan, Kafka(given.broker.address))
    running = asyncio.create_task(worker.run(stop))
    for number in (1, 2):
        await asyncio.to_thread(say, given, number, partitions)
        async with asyncio.timeout(PATIENCE):
            wanted = 2 * number + (partitions == 1)
            while await asyncio.to_thread(silent, given) < wanted:  # noqa: ASYNC110 - what is waited for is looked at
                await asyncio.sleep(0.3)
    stop.set()
    await running


@pytest.mark.parametrize("partitions", [1, 2])
def test_silence_is_recorded_and_replayed(broker: Secured, tmp_path: Path, partitions: int) -> None:
    """Engines and streams fall silent while nothing comes, at other moments in each group: a replay gives the same."""
    given = silence(broker, tmp_path, partitions)
    asyncio.run(fall_silent_twice(given, partitions))

    assert run("record", given.path, *given.kafka, "--out", tmp_path / "rec", "--until-end").exit_code == 0
    files = {stream: tmp_path / "rec" / f"{stream}.jsonl" for stream in given.plan.streams}
    inputs = [word for stream, file in files.items() for word in ("--input", f"{stream}={file}")]
    replayed = run("replay", given.path, *inputs)

    lines = [json.loads(line) for file in files.values() for line in file.read_bytes().splitlines()]
    archived = cluster.emissions(cluster.archive(broker.address, given.plan))
    assert {line["group"] for line in lines if "tick" in line} >= {"notify", "predictions+truth"}
    assert sorted(replayed.stdout.splitlines()) == sorted(archived)


def test_a_failure_leaves_recordings_as_they_were(broker: Secured, tmp_path: Path) -> None:
    """No broker, no topic: exit code 2, and what was there stays."""
    given = case(broker, tmp_path, create=False)
    (tmp_path / "notify.jsonl").write_text("mine", encoding="utf-8")
    away = run("record", given.path, "--kafka", "127.0.0.1:1", "--out", tmp_path, "--until-end")
    without = run("record", given.path, *given.kafka, "--out", tmp_path, "--until-end")

    assert (away.exit_code, without.exit_code) == (2, 2)
    assert f"topic {given.topic}: there is none" in without.stderr
    assert (tmp_path / "notify.jsonl").read_text(encoding="utf-8") == "mine"


def test_without_an_end_it_goes_on_until_it_is_told(broker: Secured, tmp_path: Path) -> None:
    """What comes while it records is recorded; SIGINT gives the files their names."""
    given = case(broker, tmp_path)
    given.write(GOOD[0])
    words = [sys.executable, "-m", "manometer", "record", str(given.path), *given.kafka, "--out", str(tmp_path / "rec")]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    part = tmp_path / "rec" / f"notify.jsonl.{process.pid}.part"
    until = time.monotonic() + 90
    while not part.exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    given.write(GOOD[1])
    time.sleep(3)  # what is recorded is seen only when the file is whole
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)

    assert (process.returncode, counts(said)) == (0, {"notify": 2})
    assert len((tmp_path / "rec" / "notify.jsonl").read_bytes().splitlines()) == 2
