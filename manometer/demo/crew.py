"""The engines of the live demo as processes: started, killed where the story wants it, ended."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

import manometer
from manometer.demo import story

PATIENCE: Final = 4.0
"""Seconds that an engine gets to send its last words before it is killed."""


class Crew:
    """One process for each engine of the story; use it in a `with` block, at whose end they are gone."""

    def __init__(self, log: Path) -> None:
        """Start the processes, which get ready and wait for orders.

        Args:
            log: the file that gets what goes wrong in them.

        Raises:
            OSError: a process cannot be started.
        """
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._log = log
        try:
            with log.open("ab") as errors:
                for name in story.ENGINES:
                    self._processes[name] = _start(name, errors)
        except BaseException:
            self.end()
            raise

    def ready(self) -> None:
        """Wait until all have read what they are going to consume.

        Raises:
            OSError: one of them has ended.
        """
        for name, process in self._processes.items():
            if process.stdout is None or not process.stdout.readline():
                raise OSError(f"the engine {name} has ended; {self._log} says why")

    def begin(self, orders: bytes) -> None:
        """Let all begin; orders are one line."""
        for process in self._processes.values():
            if process.stdin is not None:
                with suppress(BrokenPipeError):
                    process.stdin.write(orders + b"\n")
                    process.stdin.flush()

    @property
    def pids(self) -> Mapping[str, int]:
        """Process ids of the engines that are there."""
        return {name: process.pid for name, process in self._processes.items() if process.poll() is None}

    def kill(self, name: str) -> None:
        """Kill an engine: it says nothing any more."""
        self._processes[name].kill()

    def end(self) -> None:
        """Let all engines say farewell, and wait until they are gone."""
        for process in self._processes.values():
            if process.stdin is not None:
                with suppress(OSError):
                    process.stdin.close()
        for process in self._processes.values():
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.end()


def environment() -> Mapping[str, str]:
    """Give the environment in which another process finds this very Manometer."""
    here = str(Path(manometer.__file__).resolve().parent.parent)
    paths = [here, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def _start(name: str, errors: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-P", "-m", "manometer.demo.engine", name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        env=environment(),
    )
