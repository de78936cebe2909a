"""What SIGHUP does to `manometer run`: the workflow file is read anew, and taken up where nothing speaks against it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from engine.findings import one_line
from engine.plan import Plan
from manometer.asked_signals import STOPPING, collected
from manometer.cli.failure import CommandError
from manometer.cli.run_settings import settings_of
from manometer.cli.workflow_file import read_plan

Reread = Callable[[Plan], Plan | None]
"""Gives the workflow as its file has it now; None, the reasons told, where the one that runs goes on."""


def rereading(path: Path, data: str | None, options: dict[str, Any]) -> Reread:
    """Make what reads a workflow file anew, for a process with these options."""

    def reread(running: Plan) -> Plan | None:
        try:
            found = read_plan(path)
            settings_of(found, path, data, options)
        except CommandError as error:
            stays(str(error))
            return None
        if found.workflow != running.workflow:
            stays(f"{path}: the workflow is now called {found.workflow!r}; start it as a new one")
            return None
        if found.hash == running.hash:
            stays(f"{path} has not changed")
            return None
        click.echo(f"{path} has changed: it is taken up", err=True)
        return found

    return reread


class Asked:
    """What signals ask an embedded process for: to end, or to take up a changed workflow file."""

    def __init__(self, reread: Reread, signals: list[int]) -> None:
        """Take where signals are collected."""
        self.signals = signals
        self.following: Plan | None = None
        """The workflow to go on with, once the one that runs has ended."""
        self._reread = reread

    def ended(self, running: Plan) -> bool:
        """Say whether the workflow that runs is to end."""
        self.following = None
        while self.signals and self.following is None:
            if self.signals.pop(0) in STOPPING:
                return True
            self.following = self._reread(running)
        return self.following is not None


@contextmanager
def listening(reread: Reread) -> Iterator[Asked]:
    """Collect signals in place of being ended by them."""
    with collected(signal.SIGHUP) as signals:
        yield Asked(reread, signals)


def stays(reason: str) -> None:
    """Tell why the workflow that runs goes on."""
    click.echo(one_line(f"{reason}; the workflow goes on as it was"), err=True)
