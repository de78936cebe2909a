"""What a model reads and writes reaches the topics, and what was recorded is what came."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path

import pytest

from engine.events import Message
from engine.recording.lines import Tick
from engine.workflow import load
from manometer.demo.publisher import WAITING, Publisher
from manometer.demo.recorder import Recorder
from manometer.demo.system import running
from manometer.resources import resource

PLAN = load(resource("workflows/demo.yaml"))
INPUT = b'{"time":1767225600.0,"id":"a","engine":"taxi-1","half_hour":1,"passengers":7}'


def free_port() -> int:
    """Give a port on which nobody listens."""
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_messages_arrive_in_their_order_with_the_key(tmp_path: Path) -> None:
    """Each message is one of the topic, keyed by the engine; the second flush has nothing left to send."""
    heard: list[Message | Tick] = []
    with running(PLAN, tmp_path, heard.extend) as system:
        publisher = Publisher(system.address, "taxi-inputs", "taxi-1")
        publisher.put(INPUT)
        publisher.put(b"garbage")

        assert publisher.flush()
        assert publisher.flush()
        publisher.close()

    sent = [(one.topic, one.key, one.value) for one in heard if isinstance(one, Message)]
    assert sent == [("taxi-inputs", b"taxi-1", INPUT), ("taxi-inputs", b"taxi-1", b"garbage")]


def test_nobody_there_is_no_harm() -> None:
    """Where nobody listens `flush` says so, and messages wait, the newest of them."""
    publisher = Publisher(f"http://127.0.0.1:{free_port()}", "taxi-inputs", "taxi-1")
    for _ in range(WAITING + 5):
        publisher.put(b"x")

    assert not publisher.flush()
    assert not publisher.flush()
    publisher.close()


def test_a_topic_that_is_not_there_is_given_up(tmp_path: Path) -> None:
    """What is refused is not sent again."""
    with running(PLAN, tmp_path) as system:
        publisher = Publisher(system.address, "nowhere", "taxi-1")
        publisher.put(INPUT)

        assert publisher.flush()
        publisher.close()


def test_a_recorder_keeps_messages_and_ticks_in_their_order(tmp_path: Path) -> None:
    """One file a stream; it has its name only when the recorder is closed."""
    recorder = Recorder(tmp_path / "rec", PLAN)
    recorder([Message("notify", 0, 0, 5, b"k", b"one"), Message("notify", 0, 1, 6, b"k", b"\xff")])
    recorder([Tick("notify", 0, 9_000_000), Tick("taxi-inputs", 0, 9_000_000)])

    assert not recorder.files["notify"].exists()
    recorder.close()
    lines = recorder.files["notify"].read_bytes().splitlines()
    assert [b'"offset":0' in lines[0], b'"value_base64"' in lines[1], b'"tick":9.0' in lines[2]] == [True] * 3
    assert recorder.files["inputs"].read_bytes().count(b"\n") == 1
    assert recorder.files["predictions"].read_bytes() == b""


def test_a_recorder_whose_disk_is_full_goes_on_and_says_so_at_the_end(tmp_path: Path) -> None:
    """Nothing is raised while the demo runs; no half recording is left."""
    recorder = Recorder(tmp_path / "rec", PLAN)
    recorder.trouble = OSError(28, "No space left on device")
    recorder([Message("notify", 0, 0, 5, b"k", b"one")])

    with pytest.raises(OSError, match="No space left"):
        recorder.close()
    assert list((tmp_path / "rec").iterdir()) == []
