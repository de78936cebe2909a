"""Programs that the tests start: on free ports of 127.0.0.1, stopped by process id, missing ones named."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NoReturn

import pytest

CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "manometer-tests"
"""Where what was fetched or built is kept, by the hash of what it was made from."""


class Missing(Exception):  # noqa: N818 - it names what is missing
    """A service cannot be started here; the sentence says what is missing and what would bring it."""


class Died(Exception):  # noqa: N818 - it says what a program did
    """A program ended or did not become ready; the end of its log is in the sentence."""


def absent(reason: Missing) -> NoReturn:
    """Skip a test for want of a service; in CI that is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(str(reason), pytrace=False)
    pytest.skip(str(reason))


def free_port() -> int:
    """Find a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def program(name: str, bring: str) -> str:
    """Find a program on PATH.

    Raises:
        Missing: it is not there; `bring` says how it comes.
    """
    found = shutil.which(name)
    if found is None:
        raise Missing(f"{name} is not on PATH: {bring}")
    return found


def digest(*files: Path) -> str:
    """Hash files, to name what is made from them."""
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:16]


@contextmanager
def made_once(folder: Path) -> Iterator[Path | None]:
    """Give a folder to make something in, which becomes `folder` when all went well; None where it is there already.

    Whoever comes while it is being made waits for it.
    """
    with alone(folder.name):
        if folder.is_dir():
            yield None
            return
        part = folder.with_name(f"{folder.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        try:
            yield part
            part.rename(folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)


@contextmanager
def alone(what: str) -> Iterator[None]:
    """Let no other process do the same meanwhile: whoever comes waits."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{what}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class Program:
    """One process with a log file, which is waited for, stopped and killed by its id."""

    def __init__(self, words: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> None:
        """Start it."""
        self.log = log
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                list(words),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
            )

    def wait_for(self, ready: Callable[[], bool], seconds: float = 60) -> None:
        """Wait until it is ready.

        Raises:
            Died: it ended, or was not ready in time.
        """
        until = time.monotonic() + seconds
        while not ready():
            if self.process.poll() is not None:
                raise Died(f"{self._name} ended with {self.process.returncode}: {self.tail()}")
            if time.monotonic() > until:
                raise Died(f"{self._name} was not ready after {seconds:g} s: {self.tail()}")
            time.sleep(0.05)

    def stop(self, seconds: float = 30) -> int:
        """End it in order, and by force where it takes too long; gives its exit code."""
        return self._end(signal.SIGTERM, seconds)

    def kill(self) -> int:
        """End it at once, as if the power had failed."""
        return self._end(signal.SIGKILL, 30)

    def tail(self, size: int = 2_000) -> str:
        """Give the end of its log."""
        return self.log.read_bytes()[-size:].decode("utf-8", "replace")

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    @property
    def _name(self) -> str:
        return Path(str(self.process.args[0])).name if isinstance(self.process.args, list) else "the program"

    def _end(self, number: int, seconds: float) -> int:
        if self.running:
            self.process.send_signal(number)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
