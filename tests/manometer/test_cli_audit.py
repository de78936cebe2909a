from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from archiver.following import Follower
from archiver.sinks.sqlite import SqliteSink
from engine.coverage import Part
from engine.embedded.checkpoint import Checkpoint
from engine.embedded.store import Store
from engine.events import Emission, encode_array
from engine.kafka.clients import Kafka
from engine.plan import Plan
from engine.workflow import load
from tests.archiver.followed import emissions_of, follow, publish, topics_of
from tests.engine.embedded.running import report
from tests.kafka import cluster
from tests.kafka.working import run_to
from tests.manometer.commands import run
from tests.services.broker import Broker


def audited(*words: str | Path, exit_code: int = 0) -> Any:
    """Run an audit and read its JSON."""
    done = run("audit", *words, "--json")
    assert done.exit_code == exit_code, done.output
    return json.loads(done.stdout)


def archived(broker: Broker, plan: Plan, folder: Path, *messages: Sequence[Emission]) -> None:
    """Publish messages and let a store take them."""
    publish(broker, plan, *messages)
    follower = Follower("sqlite", SqliteSink(folder / "store.db"), plan, Kafka(broker.address))
    follow(follower, until=lambda: follower.status().position == len(messages))


def test_an_archive_that_is_whole_adds_up(broker: Broker, tmp_path: Path) -> None:
    """Covered, read, written and in the store are told, and what came after the sink's stop is pending."""
    plan, path = topics_of(broker, tmp_path)
    archived(broker, plan, tmp_path, emissions_of(plan, 100), [], emissions_of(plan, 50, since=100))
    publish(broker, plan, emissions_of(plan, 9, since=201), since=3)
    found = audited(path, "--kafka", broker.address, "--sink", f"sqlite={tmp_path / 'store.db'}")

    (covered,) = found["coverage"]
    assert (covered["first"], covered["last"], covered["offsets"]) == (0, 3, 4)
    assert (covered["gaps"], covered["repeats"]) == ([], 0)
    (sink,) = found["sinks"]
    names = ("name", "read", "written", "rejected", "expired", "pending", "lost", "points")
    assert tuple(sink[name] for name in names) == ("sqlite", 152, 152, 0, 0, 9, 0, 152)
    assert (found["emissions"], found["points"], found["findings"]) == (161, 161, [])


def test_what_workers_archived_is_whole_from_the_input_to_the_store(broker: Broker, tmp_path: Path) -> None:
    """Two workers one after the other, then a sink: each offset of the input is covered once, each emission written."""
    plan, path = topics_of(broker, tmp_path)
    topic = plan.streams["notify"].topic
    for first in (0, 40):
        messages = [cluster.Written(report(second), b"e1") for second in range(first, first + 40)]
        cluster.write(broker.address, topic, messages)
        run_to(broker, plan, {(topic, 0): first + 40})
    follower = Follower("sqlite", SqliteSink(tmp_path / "store.db"), plan, Kafka(broker.address))
    follow(follower, until=lambda: follower.status().position > 0 and not follower.status().behind)
    found = audited(path, "--kafka", broker.address, "--sink", f"sqlite={tmp_path / 'store.db'}")

    (covered,) = found["coverage"]
    (sink,) = found["sinks"]
    assert (covered["topic"], covered["group"]) == (topic, "notify")
    assert (covered["first"], covered["last"], covered["offsets"], covered["repeats"]) == (0, 79, 80, 0)
    assert sink["read"] == sink["written"] == found["emissions"]
    assert sink["points"] == found["points"] > 0
    assert (sink["pending"], found["findings"]) == (0, [])


def test_a_gap_and_a_repeat_are_found(broker: Broker, tmp_path: Path) -> None:
    """A message of the archive that is missing ends the command with 1; one that came again is counted."""
    plan, path = topics_of(broker, tmp_path)
    for since in (0, 1, 1, 5):
        publish(broker, plan, emissions_of(plan, 5), since=since)
    done = run("audit", path, "--kafka", broker.address)
    found = audited(path, "--kafka", broker.address, exit_code=1)

    assert [(one["gaps"], one["repeats"]) for one in found["coverage"]] == [([[2, 4]], 1)]
    assert f"finding: {plan.workflow}-notify/0: group notify: offsets 2 to 4 are not in the archive" in done.stdout
    assert "no sink has read the archive yet" in done.stdout


def test_a_store_that_has_lost_points_is_found(broker: Broker, tmp_path: Path) -> None:
    """Another file than the one that was written holds less than the archive."""
    plan, path = topics_of(broker, tmp_path)
    archived(broker, plan, tmp_path, emissions_of(plan, 100))
    other = SqliteSink(tmp_path / "other.db")
    other.write(emissions_of(plan, 60))
    other.close()
    words = ("--kafka", broker.address, "--sink", f"sqlite={tmp_path / 'other.db'}")
    found = audited(path, *words, exit_code=1)

    assert found["findings"] == ["sink sqlite: its store has 61 points, but the archive has 101"]


def test_what_is_no_archive_is_found(broker: Broker, tmp_path: Path) -> None:
    """A strange message is named by its place."""
    plan, path = topics_of(broker, tmp_path)
    cluster.write(broker.address, plan.archive, [cluster.Written(b"nonsense")])
    found = audited(path, "--kafka", broker.address, exit_code=1)

    assert found["findings"][0].startswith(f"{plan.archive}/0/0: no archive: ")


def kept(folder: Path, plan: Plan, *offsets: int) -> None:
    """Write the archive of an embedded process, which covers these offsets, and has saved 4 as the next."""
    store = Store(folder)
    parts = [
        Part(
            group="notify", topic="notify", first=n, last=n, data=encode_array(emissions_of(plan, 5, since=10 * n + 1))
        )
        for n in offsets
    ]
    store.checkpoint(Checkpoint(workflow=plan.workflow, topics={"notify": 4}, parts=parts))
    store.save_position("sqlite", len(offsets) - 1)
    store.close()


@pytest.mark.parametrize(
    ("offsets", "findings"),
    [
        ((0, 1, 2, 3), []),
        ((0, 1, 3), ["notify/0: group notify: offsets 2 to 2 are not in the archive"]),
        ((0, 1, 2), ["notify/0: group notify: the archive ends at offset 2, but 4 was saved as the next"]),
    ],
)
def test_an_embedded_process_is_audited_in_its_folder(
    tmp_path: Path, offsets: tuple[int, ...], findings: list[str]
) -> None:
    """The same proof from the file, while a process may run on it."""
    path = tmp_path / "w.yaml"
    path.write_text(
        "workflow: w\nstreams: {notify: {topic: notify, decode: sensors}}\n"
        "monitors: [{use: throughput, from: notify}]\narchive: {topic: archive}\n",
        encoding="utf-8",
    )
    kept(tmp_path / "data", load(path), *offsets)
    found = audited(path, "--data", tmp_path / "data", exit_code=1 if findings else 0)

    assert found["findings"] == findings
    assert found["emissions"] == 5 * len(offsets)
    assert [(sink["name"], sink["pending"]) for sink in found["sinks"]] == [("sqlite", 5)]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    """Nothing to read is no proof: exit 2."""
    path = Path(__file__).parents[2] / "workflows" / "demo.yaml"
    done = run("audit", path, "--data", tmp_path / "nowhere")

    assert done.exit_code == 2
    assert "unable to open database file" in done.stderr
