"""Programs of their own: what happens in a fork, at the end of the interpreter, with closed logging."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.source import ROOT
from tests.sensors.receiver import HANG, Receiver, closed_port

SECONDS = 20


def run(program: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a program as a model's process."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore:This process:DeprecationWarning", "-c", program, *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


FORGOTTEN = """
import sys
from sensors import Engine
engine = Engine("e1", to=sys.argv[1], report_every=0.01)
engine.start()
engine.slot(0).record()
"""


@pytest.mark.parametrize("trouble", ["refuses", "hangs"])
def test_an_interpreter_ends_with_an_engine_that_was_forgotten(trouble: str) -> None:
    """Nobody stopped the engine and nobody takes its messages: the process ends all the same, with exit code 0."""
    with Receiver([HANG] * 1000) as receiver:
        url = receiver.url if trouble == "hangs" else f"http://127.0.0.1:{closed_port()}/topics/notify"
        done = run(FORGOTTEN, url)

    assert done.returncode == 0
    assert "Traceback" not in done.stderr


EXIT = """
import atexit, sys
from sensors import Engine
engine = Engine("e1", to=sys.argv[1])
engine.start()
atexit.register(engine.stop)
engine.slot(0).record(); engine.state("running")
"""


def test_an_engine_can_be_stopped_at_the_end_of_the_interpreter(tmp_path: Path) -> None:
    """`atexit` is a fine place to stop: everything is sent."""
    path = tmp_path / "notify.jsonl"
    done = run(EXIT, str(path))
    last = json.loads(path.read_text(encoding="utf-8").splitlines()[-1])

    assert (done.returncode, done.stderr) == (0, "")
    assert last["state"] == "stopped"


FORK = """
import os, sys, threading
from sensors import Engine
with Engine("e1", to=sys.argv[1], report_every=0.01) as engine:
    slot = engine.slot(0)
    def count():
        for _ in range(200_000):
            slot.record(1)
    threads = [threading.Thread(target=count) for _ in range(2)]
    for thread in threads:
        thread.start()
    children = []
    for _ in range(20):
        child = os.fork()
        if child == 0:
            # everything that could wait for a thread that is not here
            slot.record(1); slot.rejected("schema"); engine.slot(1).record(); engine.tap("x").add()
            engine.state("error"); engine.install({"Tap": "sys.memory"}); engine.uninstall(1)
            engine.sensors; engine.stats
            sys.exit(0)   # leaves the with block in the child, too
        children.append(child)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    for thread in threads:
        thread.join()
print(codes, slot.count.total)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
def test_a_forked_child_is_silent_and_never_waits(tmp_path: Path) -> None:
    """In a child all calls return, nothing is sent, and the parent's reports are as if there had been no child."""
    path = tmp_path / "notify.jsonl"
    done = run(FORK, str(path))
    messages = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    assert (done.returncode, done.stdout) == (0, f"{[0] * 20} 400000\n"), done.stderr
    assert [message["state"] for message in messages if "state" in message] == ["init", "running", "stopped"]
    assert sum(m["data"] for m in messages if m.get("tap") == "manifold.0.records.count") == 400_000


LOGGING = """
import logging, sys
class Broken(logging.Handler):
    def emit(self, record):
        raise OSError("the disk of the log is full")
logging.getLogger().addHandler(Broken())
from sensors import Engine
with Engine("e1", to=sys.argv[1], close_within=0.3) as engine:
    engine.slot(0).record()
logging.shutdown()
print(engine.stats.sent)
"""


def test_a_log_that_fails_does_no_harm() -> None:
    """A handler that raises while a failure is noted changes nothing for the model."""
    done = run(LOGGING, f"http://127.0.0.1:{closed_port()}/topics/notify")

    assert (done.returncode, done.stdout, done.stderr) == (0, "0\n", "")


THREADS = """
import sys, threading
from sensors import Engine
real = threading.Thread.start
def start(self):
    raise RuntimeError("can't start new thread")
threading.Thread.start = start
with Engine("e1", to=sys.argv[1], close_within=1) as engine:
    engine.slot(0).record()
print(engine.stats.errors > 0, engine.stats.waiting > 0)
"""


def test_no_threads_to_be_had(tmp_path: Path) -> None:
    """Where the system gives no thread the model works on; the engine counts an error and what it could not send."""
    done = run(THREADS, str(tmp_path / "notify.jsonl"))

    assert (done.returncode, done.stdout, done.stderr) == (0, "True True\n", "")


SIGNALS = """
import signal, sys, time
from sensors import Engine
with Engine("e1", to=sys.argv[1], report_every=60) as engine:
    slot = engine.slot(0)
    calls = 0
    def handler(*_):
        global calls
        calls += 1
        engine.state("running"); engine.sensors; engine.slot(0).rejected("schema")
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    until = time.monotonic() + 1
    while time.monotonic() < until:
        slot.record(1); engine.state("running"); engine.sensors
    signal.setitimer(signal.ITIMER_REAL, 0)
print(calls > 0)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_a_signal_handler_may_report(tmp_path: Path) -> None:
    """A handler that interrupts the model in the middle of a call of ours calls us again and does not wait for ever."""
    done = run(SIGNALS, str(tmp_path / "notify.jsonl"))

    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")


def test_the_library_is_small() -> None:
    """A model's process pays for no monitor, no pydantic and no pipeline."""
    done = run("import sys, sensors; print(sorted({name.split('.')[0] for name in sys.modules}))")
    loaded = set(done.stdout.replace("'", "").strip("[]\n").split(", "))

    ours = loaded - sys.stdlib_module_names - {"__main__"}
    assert {name for name in ours if not name.startswith("_")} <= {
        "engine",
        "msgspec",
        "psutil",
        "sensors",
        "typing_extensions",
    }
