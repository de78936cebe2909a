from __future__ import annotations

import json
from pathlib import Path
from threading import Event

import pytest

from engine.embedded import runner
from engine.embedded.checkpoint import Checkpoint
from engine.embedded.deliveries import Ended, Full, UnknownTopic
from engine.embedded.runner import Embedded
from engine.embedded.store import Store, StoreFailed
from engine.events import Message, encode
from engine.memory import Memory
from tests.engine.embedded.running import NOTIFY, alerts, clock_at, emitted, plan_of, report, running, send


def test_an_answer_comes_with_the_checkpoint(tmp_path: Path) -> None:
    """Once a sender is answered, its messages' states, offsets and emissions are in the store."""
    with running(plan_of(tmp_path), tmp_path / "data") as (embedded, store):
        assert send(embedded, report(1), report(2)) == (0, 1)

        assert store.topics() == {"notify": 2}
        assert ("notify", "notify", 0, 1, 1, 1) in store.coverage()
        assert [e.name for e in emitted(store)].count("records_per_second") == 2
        assert any(b"throughput" in name for _, name, _ in store.states())


def test_the_archive_is_that_of_a_replay(tmp_path: Path) -> None:
    """However messages are cut into deliveries, wherever the process is started anew: the same emissions."""
    plan = plan_of(tmp_path)
    lines = [report(n, data=n % 7, engine=f"e{n % 3}") for n in range(40)] + [report(200)]
    memory = Memory(plan)
    messages = [Message("notify", 0, n, None, None, line) for n, line in enumerate(lines)]
    expected = [encode(emission) for emission in memory.apply("notify", messages).emissions]

    found: list[bytes] = []
    for start in range(0, len(lines), 7):
        with running(plan, tmp_path / "data") as (embedded, store):
            sent = [embedded.send("notify", [line]) for line in lines[start : start + 7]]
            assert [answer.result(10).first for answer in sent] == list(range(start, start + len(sent)))
            found = [encode(emission) for emission in emitted(store)]

    assert found == expected


def test_a_key_that_is_known_is_answered_and_not_applied(tmp_path: Path) -> None:
    """Also after a restart, and another topic's or another key's delivery is applied."""
    plan = plan_of(tmp_path)
    with running(plan, tmp_path / "data") as (embedded, _):
        assert send(embedded, report(1), key="a") == (0, 0)
        assert send(embedded, report(1), key="a") == (0, 0)

    with running(plan, tmp_path / "data") as (embedded, store):
        again = embedded.send("notify", [report(9)], idempotency="a").result(10)
        assert (again.first, again.last, again.messages, again.replayed) == (0, 0, 1, True)
        assert send(embedded, report(2), key="b") == (1, 1)
        assert store.topics() == {"notify": 2}


def test_a_key_under_way_waits_for_the_first_answer(tmp_path: Path) -> None:
    """The same delivery twice at once is applied once, and both are answered."""
    store = Store(tmp_path / "data")
    embedded = Embedded(plan_of(tmp_path), store)

    first = embedded.send("notify", [report(1)], idempotency="a")
    second = embedded.send("notify", [report(1)], idempotency="a")

    assert not second.done()
    embedded.start()
    assert (first.result(10).replayed, second.result(10).replayed) == (False, True)
    assert second.result().last == 0
    embedded.close()
    store.close()


def test_what_waits_is_bounded(tmp_path: Path) -> None:
    """Beyond the limit senders are told to come back; one delivery always has room, and room comes back."""
    store = Store(tmp_path / "data")
    embedded = Embedded(plan_of(tmp_path), store, waiting=1_000)
    waiting = embedded.send("notify", [b"x" * 2_000])

    with pytest.raises(Full) as full:
        embedded.send("notify", [report(1)])

    assert full.value.after > 0
    embedded.start()
    waiting.result(10)
    assert send(embedded, report(1)) == (1, 1)
    assert embedded.waiting == 0
    embedded.close()
    store.close()


def test_a_topic_that_nobody_reads_is_refused(tmp_path: Path) -> None:
    """Nothing is taken that no stream would see."""
    with running(plan_of(tmp_path), tmp_path / "data") as (embedded, _), pytest.raises(UnknownTopic, match="other"):
        embedded.send("other", [b"1"])


def test_the_end_answers_what_waits_and_takes_nothing_more(tmp_path: Path) -> None:
    """Closing loses nothing that was taken, and says so to those who come later."""
    store = Store(tmp_path / "data")
    embedded = Embedded(plan_of(tmp_path), store)
    embedded.start()
    sent = [embedded.send("notify", [report(n)]) for n in range(50)]

    embedded.close()

    assert [answer.result(0).first for answer in sent] == list(range(50))
    assert embedded.ended.result(0) is None
    assert embedded.alive() == "the process is ending"
    with pytest.raises(Ended):
        embedded.send("notify", [report(1)])
    store.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the runner give up soon."""
    monkeypatch.setattr(runner, "RETRIES", (0.01, 0.01))


def test_a_store_that_fails_answers_nobody_and_ends_the_process(tmp_path: Path, impatient: None) -> None:
    """Senders get an error, not an answer; the reason is told, and the next process knows nothing of the messages."""
    plan = plan_of(tmp_path)
    with running(plan, tmp_path / "data") as (embedded, store):
        send(embedded, report(1))
        store._writer.execute("PRAGMA query_only = 1")

        sent = embedded.send("notify", [report(2)], idempotency="a")

        with pytest.raises(Ended, match="readonly"):
            sent.result(10)
        with pytest.raises(StoreFailed, match=r"state\.db: attempt to write a readonly database"):
            embedded.ended.result(10)
        assert "readonly" in (embedded.trouble or "")
        assert "readonly" in (embedded.alive() or "")

    with running(plan, tmp_path / "data") as (embedded, store):
        assert store.topics() == {"notify": 1}
        assert send(embedded, report(2), key="a") == (1, 1)


def test_a_store_that_comes_back_gets_the_same_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full for a while costs time and nothing else; meanwhile the process says why it is not ready."""
    monkeypatch.setattr(runner, "RETRIES", (0.01,) * 1_000)
    with running(plan_of(tmp_path), tmp_path / "data") as (embedded, store):
        store._writer.execute("PRAGMA query_only = 1")
        sent = embedded.send("notify", [report(1)])
        with pytest.raises(TimeoutError):
            sent.result(0.1)
        assert "readonly" in (embedded.trouble or "")

        store._writer.execute("PRAGMA query_only = 0")

        assert sent.result(10).first == 0
        assert embedded.trouble is None
        assert len(store.coverage()) == 1


def test_a_changed_workflow_goes_on_with_the_monitors_it_still_has(tmp_path: Path) -> None:
    """States are matched by the monitor's name; those of monitors and streams that are gone are forgotten."""
    both = NOTIFY.replace(
        "monitors:", "  extra: {topic: extra, decode: json}\nmonitors:\n  - {use: arrival, from: extra}"
    )
    with running(plan_of(tmp_path, both), tmp_path / "data") as (embedded, _):
        send(embedded, report(1))
        send(embedded, json.dumps({"a": 1}).encode(), topic="extra")

    changed = NOTIFY.replace("  - {use: throughput, from: notify}\n", "  - {use: record_count, from: notify}\n")
    with running(plan_of(tmp_path, changed), tmp_path / "data") as (embedded, store):
        send(embedded, report(100))
        found = emitted(store)
        names = {bytes(name).decode() for _, name, _ in store.states()}

    assert ("EngineSilent", True, 31.0) in alerts(found)
    assert not [name for name in names if "throughput" in name or "extra" in name]


def test_a_tick_is_made_when_something_is_due(tmp_path: Path) -> None:
    """Where nothing comes for `idle_after`, time goes on by the wall: the silent engine is told at its own time."""
    clock = clock_at(5)
    with running(plan_of(tmp_path), tmp_path / "data", clock) as (embedded, store):
        send(embedded, report(0))
        clock.advance(29_000_000)
        send(embedded, b"no message of an engine")
        clock.advance(32_000_000)
        _until(lambda: alerts(emitted(store)))

        assert alerts(emitted(store)) == [("EngineSilent", True, 30.0)]
        assert store.tick() == {}
        assert [line for line in store.coverage() if line[2] is None and line[0]] == [("notify", "", None, None, 1, 1)]
        send(embedded, report(70))
        assert alerts(emitted(store))[1:] == [("EngineSilent", False, 70.0)]


def test_a_pending_tick_is_made_before_the_first_message(tmp_path: Path) -> None:
    """A crash between the tick's checkpoint and its outcome fires the same timers at the same time, once."""
    plan = plan_of(tmp_path)
    clock = clock_at(5)
    with running(plan, tmp_path / "data", clock) as (embedded, _):
        send(embedded, report(0))
    store = Store(tmp_path / "data")
    store.checkpoint(Checkpoint(tick={"notify": clock_at(45).now(), "gone": 1}))
    store.close()

    with running(plan, tmp_path / "data", clock) as (embedded, store):
        assert alerts(emitted(store)) == [("EngineSilent", True, 30.0)]
        assert [alert.name for alert in embedded.view().firing] == ["EngineSilent"]
        assert store.tick() == {}

    with running(plan, tmp_path / "data", clock) as (embedded, store):
        assert alerts(emitted(store)) == [("EngineSilent", True, 30.0)]
        assert [alert.name for alert in embedded.view().firing] == ["EngineSilent"]


def test_telemetry_goes_to_the_archive(tmp_path: Path) -> None:
    """Every ten seconds, with the workflow `manometer` and the process as tags, and once more at the end."""
    clock = clock_at()
    with running(plan_of(tmp_path), tmp_path / "data", clock, process="here") as (embedded, store):
        send(embedded, report(1))
        assert store.newest() == 1
        clock.advance(10_000_000)
        _until(lambda: store.newest() == 2)

        ((_, told),) = store.archive_after(1, 10)

    assert {(e.tags["workflow"], e.tags["process"]) for e in told} == {("manometer", "here")}
    assert {e.time for e in told} == {clock.now()}
    assert {"messages_total", "monitor_seconds_total", "monitor_errors_total", "waiting_bytes"} <= {
        e.name for e in told
    }


def test_the_view_shows_what_is_in_the_store(tmp_path: Path) -> None:
    """Rates, last values, firing alerts and their changes; a copy that stays as it is."""
    clock = clock_at()
    with running(plan_of(tmp_path), tmp_path / "data", clock) as (embedded, _):
        before = embedded.view()
        clock.advance(2_000_000)
        send(embedded, report(0, data=3), report(50, data=4), report(50, engine="e2"), b"garbage")
        view = embedded.view()

    (stream,) = view.streams
    assert (stream.name, stream.topic, stream.messages, stream.rate) == ("notify", "notify", 4, 2.0)
    assert stream.time == clock_at(50).now()
    assert (view.rejects, view.firing, [a.firing for a in view.changes]) == (1, (), [True, False])
    assert [m.value for m in view.metrics if m.name == "records_per_second" and m.tags["engine"] == "e1"] == [4.0]
    assert before.streams[0].messages == 0


def _until(true: object) -> None:
    """Wait until the runner has seen what time it is."""
    assert callable(true)
    pause = Event()
    for _ in range(500):
        if true():
            return
        pause.wait(0.02)
    raise AssertionError("it did not happen within ten seconds")
