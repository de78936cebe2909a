"""The workflow file that a command runs, read or refused."""

from __future__ import annotations

from pathlib import Path

import click

from engine.plan import Plan
from engine.workflow import WorkflowError, load
from manometer.cli.failure import CommandError, what_failed


def read_plan(workflow: Path) -> Plan:
    """Read a workflow file.

    Raises:
        CommandError: it cannot be read, or has mistakes; all of them were told on standard error, as `manometer
            check` tells them.
    """
    see_readable(workflow)
    try:
        return load(workflow)
    except WorkflowError as error:
        click.echo(str(error), err=True)
        raise CommandError(f"{workflow} cannot run; correct what is told above") from None


def see_readable(path: Path) -> None:
    """See that a file can be read.

    Raises:
        CommandError: it cannot.
    """
    try:
        path.open("rb").close()
    except (OSError, ValueError) as error:
        raise CommandError(f"{path}: cannot be read: {what_failed(error)}") from None
