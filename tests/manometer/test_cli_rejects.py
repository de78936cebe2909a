from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.embedded.runner import Embedded
from engine.embedded.store import Store
from engine.events import Message, Reject
from engine.recording.files import open_input
from engine.workflow import load
from manometer.rejects import Identity, Wanted, again, parse, recorded
from tests.kafka import cluster
from tests.manometer.commands import run
from tests.manometer.on_kafka import BAD, GOOD, SCHEMA, Case, case, keys
from tests.services.secured import Secured


@pytest.fixture
def given(broker: Secured, tmp_path: Path) -> Case:
    """Let a worker reject two of five messages: the second and the fourth."""
    found = case(broker, tmp_path)
    found.write(GOOD[0], BAD, GOOD[1], SCHEMA, GOOD[2])
    found.work()
    return found


def test_rejects_are_listed_counted_shown_and_sent_again(given: Case) -> None:
    """A retry has the same bytes, key, time and partition, and says what it repeats; it is a new message."""
    listed = json.loads(run("rejects", "list", given.path, *given.kafka, "--json").stdout)
    shown = run("rejects", "show", given.path, f"{given.topic}/0/1", *given.kafka)
    sent = run("rejects", "retry", given.path, *given.kafka, "--reason", "encoding")
    original, *_, last = (one for one in cluster.messages(given.broker.address, given.topic) if one.value == BAD)
    given.work()
    after = json.loads(run("rejects", "list", given.path, *given.kafka, "--reason", "encoding", "--json").stdout)

    assert [one["name"] for one in listed["rejects"]] == [f"{given.topic}/0/1:encoding", f"{given.topic}/0/3:schema"]
    assert {one["reason"]: one["count"] for one in listed["counts"]} == {"encoding": 1, "schema": 1}
    assert "value: no JSON, and \\xff no UTF-8" in shown.stdout
    assert (sent.exit_code, sent.stderr) == (0, "1 sent again\n")
    assert (last.partition, last.time, last.key) == (original.partition, original.time, original.key)
    assert last.headers == (("retry-of", f"{given.topic}/0/1:encoding".encode()),)
    assert [one["message"]["offset"] for one in after["rejects"]] == [1, last.offset]


def test_a_choice_that_fits_nothing_is_told(given: Case) -> None:
    """Exit code 1 for what is not there, 2 for what makes no sense."""
    assert run("rejects", "show", given.path, f"{given.topic}/0/2", *given.kafka).exit_code == 1
    assert run("rejects", "retry", given.path, *given.kafka, "--monitor", "none").exit_code == 1
    assert run("rejects", "retry", given.path, *given.kafka).exit_code == 2
    assert run("rejects", "retry", given.path, *given.kafka, "--all", "--reason", "schema").exit_code == 2
    assert "3 older" not in run("rejects", "list", given.path, *given.kafka, "--until", "1h").stdout
    assert "1 older ones" in run("rejects", "list", given.path, *given.kafka, "--limit", "1").stderr


def test_an_embedded_process_is_read_too(tmp_path: Path) -> None:
    """While it runs; its rejects can be written to a recording."""
    path = tmp_path / "small.json"
    path.write_text(json.dumps(keys("small")), encoding="utf-8")
    store = Store(tmp_path / "data")
    embedded = Embedded(load(path), store)
    embedded.start()
    embedded.send("small.notify", [GOOD[0], BAD]).result()
    listed = run("rejects", "list", path, "--data", tmp_path / "data")
    written = run("rejects", "retry", path, "--all", "--data", tmp_path / "data", "--to", tmp_path / "out.jsonl")
    refused = run("rejects", "retry", path, "--all", "--data", tmp_path / "data")
    embedded.close()
    store.close()

    assert "small.notify/0/1:encoding" in listed.stdout
    assert written.exit_code == 0
    with open_input(tmp_path / "out.jsonl", "x") as found:
        ((message,),) = found.batches()
    assert isinstance(message, Message)
    assert (message.offset, message.value) == (1, BAD)
    assert (refused.exit_code, "--to FILE" in refused.stderr) == (2, True)
    assert run("rejects", "list", path, "--data", tmp_path / "none").exit_code == 2
    assert run("rejects", "list", path).exit_code == 2


def reject(offset: int, monitor: str | None = None, time: int | None = None) -> Reject:
    """Make a reject of topic t."""
    return Reject(Message("t", 0, offset, time, b"k", b"v"), "monitor" if monitor else "schema", "", monitor)


def test_a_retry_of_a_monitors_reject_names_the_monitor() -> None:
    """Only that monitor gets it, past the duplicate filter."""
    assert again(reject(7, "divergence:a")).headers == (
        ("retry-of", b"t/0/7:monitor:divergence:a"),
        ("retry-monitor", b"divergence:a"),
    )
    assert again(reject(7, "a")).retried == "a"


@pytest.mark.parametrize("text", ["t/0/7", "t/0/7:schema", "t/0/7:monitor:divergence:a", "t/0/-1:store"])
def test_names_can_be_read_back(text: str) -> None:
    """What is printed is what is asked for."""
    assert str(parse(text)) == text


@pytest.mark.parametrize("text", ["", "t/0", "t/x/7", "t/0/7:nothing", "a b/0/7"])
def test_what_is_no_name_is_refused(text: str) -> None:
    """With the form that is expected."""
    with pytest.raises(ValueError, match="TOPIC/PARTITION/OFFSET:REASON"):
        parse(text)


def test_a_choice_takes_all_of_its_parts_together() -> None:
    """Reason, monitor, time from and until; a message without a time is outside every time."""
    found = [reject(1), reject(2, "a"), reject(3, "a", 10), reject(4, "a", 20), reject(5, "b", 20)]

    def offsets(wanted: Wanted) -> list[int]:
        return [one.message.offset for one in wanted.chosen(found)]

    assert offsets(Wanted()) == [1, 2, 3, 4, 5]
    assert offsets(Wanted(monitor="a", since=10, until=20)) == [3]
    assert offsets(Wanted(reason="schema")) == [1]
    assert offsets(Wanted(identities=(Identity("t", 0, 2), Identity("t", 0, 5, "monitor", "a")))) == [2]


def test_a_recording_holds_each_message_once() -> None:
    """Where several monitors failed on it, all get it; where one did, that one."""
    found = list(recorded([reject(9, "a"), reject(3, "b"), reject(3, "a")]))

    assert [(one.offset, one.retried) for one in found] == [(3, None), (9, "a")]
