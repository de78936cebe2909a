from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

import psutil
import pytest

from sensors import DescriptorError, Engine
from tests.sensors.receiver import HANG, LATE, VANISH, Answer, Receiver, closed_port

MINUTE = 60.0
"""An interval within which no test ends: what is reported was reported at the end."""


def lines(path: Path) -> list[dict[str, Any]]:
    """Read the messages in a file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def states(messages: list[dict[str, Any]]) -> list[str]:
    """Name the states that were told, in order."""
    return [message["state"] for message in messages if message["type"] == "engine-state"]


def counted(messages: list[dict[str, Any]], tap: str) -> float:
    """Add up what was reported of a tap."""
    found = [message["data"] for message in messages if message.get("tap") == tap]
    return sum(sum(data) if isinstance(data, list) else data for data in found)


def test_a_clean_run_is_told_from_init_to_stopped(tmp_path: Path) -> None:
    """States, the model's name and every record, in the order in which they happened, with one id."""
    path = tmp_path / "notify.jsonl"
    with Engine("e1", to=path, model="lstm", report_every=MINUTE) as engine:
        for _ in range(1000):
            engine.slot(0).record(3)
    found = lines(path)

    assert states(found) == ["init", "running", "stopped"]
    assert [message["ref"] for message in found if message["type"] == "engine-config"] == ["lstm"]
    assert counted(found, "manifold.0.records.count") == 1000
    assert counted(found, "manifold.0.records.size") == 3000
    assert {message["src"] for message in found} == {"e1"}
    assert [message["timestamp"] for message in found] == sorted({message["timestamp"] for message in found})
    assert engine.stats == (len(found), 0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (ValueError("broken model"), "error"),
        (SystemExit(3), "error"),
        (SystemExit(0), "stopped"),
        (SystemExit(), "stopped"),
        (KeyboardInterrupt(), "stopped"),
    ],
)
def test_an_exception_is_told_and_goes_on(tmp_path: Path, error: BaseException, state: str) -> None:
    """An exception of the model is the state error, being told to end is not; either way it reaches the caller."""
    path = tmp_path / "notify.jsonl"
    with pytest.raises(type(error)) as caught, Engine("e1", to=path):
        raise error

    assert caught.value is error
    assert states(lines(path)) == ["init", "running", state]


def test_default_sensors_report_while_the_model_works() -> None:
    """Processor, memory and each tap of a slot come again and again, with the seconds that they cover."""
    with Receiver() as receiver, Engine("e1", to=receiver.url, report_every=0.05) as engine:
        slot = engine.slot(1)
        slot.record(10)
        slot.rejected("encoding")
        receiver.wait_for(lambda it: sum(m.get("tap") == "sys.cpu.utilization" for m in it.messages) >= 3)
    reports = [message for message in receiver.messages if message["type"] == "sensor-report"]

    assert {report["tap"] for report in reports} == {
        "sys.cpu.utilization",
        "sys.memory",
        "manifold.1.records.count",
        "manifold.1.records.size",
        "manifold.1.records.rejected.by.schema",
        "manifold.1.records.rejected.by.encoding",
    }
    assert counted(reports, "manifold.1.records.count") == 1
    assert counted(reports, "manifold.1.records.rejected.by.encoding") == 1
    assert all(0 < report["delta_time"] < 20 for report in reports)
    assert all(report["data"] > 1_000_000 for report in reports if report["tap"] == "sys.memory")


def test_sensors_come_and_go_while_the_model_works() -> None:
    """A sensor takes the place of the default one of its tap, reports as it says, and ends when it is taken out."""
    with Receiver() as receiver, Engine("e1", to=receiver.url, report_every=MINUTE) as engine:
        number = engine.install(
            {
                "Tap": "sys.memory",
                "Activate": {"Type": "regular", "Interval": 0.01},
                "Aggregate": {"Type": "accumulate", "SampleSize": 3},
            }
        )
        receiver.wait_for(lambda it: any(m.get("id") == number for m in it.messages))
        taps = {sensor.tap: sensor.id for sensor in engine.sensors}
        engine.uninstall(number)
        left = [sensor.tap for sensor in engine.sensors]
    first = next(message for message in receiver.messages if message.get("id") == number)

    assert len(first["data"]) == 3
    assert taps == {"sys.cpu.utilization": 1, "sys.memory": number}
    assert left == ["sys.cpu.utilization"]


def test_a_sensor_may_be_there_before_the_slot(tmp_path: Path) -> None:
    """Installed on a tap of a slot that nobody uses yet, it reports what is counted once the slot is used."""
    path = tmp_path / "notify.jsonl"
    with Engine("e1", to=path) as engine:
        engine.install({"Tap": "manifold.0.records.count", "Report": {"Interval": MINUTE}})
        engine.slot(0).record()

    assert counted(lines(path), "manifold.0.records.count") == 1


def test_calls_that_make_no_sense_say_so(tmp_path: Path) -> None:
    """Slips in one's own call are ValueErrors that say what was expected."""
    path = tmp_path / "notify.jsonl"
    for wrong in ({"report_every": 0}, {"buffer": 0}, {"close_within": -1}, {"system": "all"}, {"token": ""}):
        with pytest.raises(ValueError, match="expected"):
            Engine("e1", **{"to": "http://127.0.0.1/topics/notify", **wrong})  # type: ignore[arg-type]  # that is the point
    with pytest.raises(ValueError, match="expected the engine's id"):
        Engine("", to=path)
    with Engine("e1", to=path) as engine:
        engine.install({"Tap": "manifold.0.records.count"})
        for call, said in (
            (lambda: engine.install({"Tap": "sys.disk"}), "there is no tap 'sys.disk'; there are sys.cpu.utilization"),
            (lambda: engine.install({"Tap": "manifold.0.records.count"}), "has sensor"),
            (lambda: engine.uninstall(99), "there is no sensor 99"),
            (lambda: engine.tap("sys.memory"), "expected the name of a tap that counts, got 'sys.memory'"),
            (lambda: engine.slot(-1), "expected the number of a slot, 0 or more, got -1"),
            (lambda: engine.state(""), "expected a state such as running"),
        ):
            with pytest.raises(ValueError, match=said):
                call()
        with pytest.raises(DescriptorError, match="missing required field `Tap`"):
            engine.install({})


def test_taps_are_bounded(tmp_path: Path) -> None:
    """Who makes up names without end gets taps that count nowhere: an error to be seen, and no exception."""
    with Engine("e1", to=tmp_path / "notify.jsonl", report_every=MINUTE) as engine:
        for number in range(1_100):
            engine.tap(f"tap.{number}").add()
        errors, installed = engine.stats.errors, len(engine.sensors)

    assert errors == 102  # 1,000 taps, of which two are of the system
    assert installed == 1_000


def test_a_batch_comes_again_with_the_same_identity_until_it_is_taken() -> None:
    """Busy, broken off, gone: the same messages under the same key, until the answer is 200; then the next batch."""
    answers: list[Answer] = [503, VANISH, LATE, (429, {"Retry-After": "0"})]
    with Receiver(answers) as receiver, Engine("e1", to=receiver.url) as engine:
        receiver.wait_for(lambda it: len(it.requests) >= 5)
    first = receiver.requests[:5]

    assert len({request.identity for request in first}) == 1
    assert len({request.body for request in first}) == 1
    assert states(receiver.messages) == ["init", "running", "stopped"]
    assert engine.stats.retries == 4
    assert engine.stats.waiting == 0


def test_what_is_refused_is_counted_and_told_later() -> None:
    """A batch that will never be taken is not sent again; the next one that is taken is followed by what was lost."""
    with Receiver([400]) as receiver, Engine("e1", to=receiver.url) as engine:
        receiver.wait_for(lambda it: len(it.requests) >= 1)
    refused = len(receiver.requests[0].messages)
    told = [message for message in receiver.messages if message["type"] == "log"]

    assert engine.stats.refused == refused
    assert [message["lost"] for message in told] == [{"refused": refused}]


def test_what_was_dropped_is_counted_and_told_later() -> None:
    """With a full buffer reports leave and states stay; once the receiver is back, it is told how many."""
    back = threading.Event()
    with Receiver(_until(back)) as receiver, Engine("e1", to=receiver.url, report_every=0.01, buffer=20) as engine:
        receiver.wait_for(lambda it: engine.stats.dropped > 10)
        engine.state("paused")
        back.set()
        receiver.wait_for(lambda it: any(message["type"] == "log" for message in it.messages))
    told = [message["lost"]["dropped"] for message in receiver.messages if message["type"] == "log"]

    assert states(receiver.messages) == ["init", "running", "paused", "stopped"]
    assert told[-1] == engine.stats.dropped > 10


def _until(back: threading.Event) -> Iterator[Answer]:
    while not back.is_set():
        yield 503, {"Retry-After": "0"}


@pytest.mark.parametrize("trouble", ["refuses", HANG, 500, VANISH])
def test_the_exit_waits_for_a_bounded_time(trouble: Answer) -> None:
    """Whatever the receiver does, the model is free within the time that it set, and what was not sent is counted."""
    answers: Iterator[Answer] = repeat(trouble)
    with Receiver(answers) as receiver:
        url = f"http://127.0.0.1:{closed_port()}/topics/notify" if trouble == "refuses" else receiver.url
        with Engine("e1", to=url, close_within=0.3) as engine:
            engine.slot(0).record()
            begun = time.monotonic()
        passed = time.monotonic() - begun

    assert passed < 2
    assert engine.stats.waiting > 3
    assert engine.stats.sent == 0


def test_nothing_of_the_model_waits_for_the_receiver() -> None:
    """While the receiver hangs, counting, states and installing go on at once."""
    with Receiver([HANG] * 10) as receiver, Engine("e1", to=receiver.url, close_within=0) as engine:
        receiver.wait_for(lambda it: len(it.requests) >= 1)
        begun = time.monotonic()
        slot = engine.slot(0)
        for _ in range(1_000):
            slot.record(1)
            engine.state("running")
        engine.uninstall(engine.install({"Tap": "sys.memory"}))
        passed = time.monotonic() - begun

    assert passed < 1


def test_an_engine_that_has_stopped_is_quiet(tmp_path: Path) -> None:
    """After the end calls do nothing, and neither does a second end; before the start states are not told."""
    path = tmp_path / "notify.jsonl"
    engine = Engine("e1", to=path)
    engine.state("early")
    engine.slot(0).record()
    engine.start()
    engine.start()
    engine.stop()
    before = path.read_bytes()
    engine.stop()
    engine.state("late")
    engine.slot(0).record()

    assert path.read_bytes() == before
    assert states(lines(path)) == ["init", "running", "stopped"]
    assert counted(lines(path), "manifold.0.records.count") == 1


def test_threads_end_with_the_engine(tmp_path: Path) -> None:
    """A hundred engines one after the other leave no thread and no open file behind."""
    before = threading.active_count(), psutil.Process().num_fds()
    for number in range(100):
        with Engine(f"e{number}", to=tmp_path / "notify.jsonl"):
            pass
    until = time.monotonic() + 10
    while threading.active_count() > before[0] and time.monotonic() < until:
        threading.Event().wait(0.01)

    assert threading.active_count() <= before[0]
    assert psutil.Process().num_fds() <= before[1] + 2
