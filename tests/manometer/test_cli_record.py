from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.kafka import cluster
from tests.kafka.cluster import Written
from tests.manometer.commands import counts, run
from tests.manometer.on_kafka import BAD, GOOD, case
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
