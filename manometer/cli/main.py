"""The command `manometer`: knows the names of its commands and imports only the one that is asked for."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager, suppress
from importlib import import_module
from types import FrameType
from typing import Any, Final

import click

from manometer import __version__

COMMANDS: Final = {
    "demo": "Watch a model in production, live, for two minutes.",
    "new": "Write a first version of a monitor or workflow.",
    "check": "Find every mistake in workflow files.",
    "test": "Run the tests beside workflow files.",
    "replay": "Turn recorded streams into metrics and alerts.",
    "run": "Run a workflow live, in one process or on Kafka.",
    "board": "Show the boards of a store in the browser, live.",
    "topics": "Check the topics of a workflow on Kafka; make them.",
    "archive": "Write the archive topic of a workflow to stores.",
    "audit": "Prove that nothing is missing in the archive.",
    "rejects": "Look at dead letters, and send them again.",
    "record": "Record the input topics of a workflow on Kafka.",
    "state": "Show what the monitors of a workflow remember.",
    "doctor": "Find what is wrong between a workflow and its servers.",
    "secrets": "Make the passwords of an installation; show one.",
    "tokens": "Make InfluxDB's bucket, and tokens to write and read.",
    "attach": "Put one more monitor into a workflow file.",
    "profile": "Summarise a reference sample for drift.",
    "catalogue": "List every metric and alert, with its meaning.",
    "monitors": "List the monitors there are, and where from.",
}
"""Each command with its line in the help, in the order in which a newcomer needs them; so that help imports none."""

_EXTRA: Final = ("aiokafka", "faust")
"""What `manometer[kafka]` brings."""
_INTERRUPTED: Final = 128 + signal.SIGINT
_NOT_READ: Final = 128 + 13  # SIGPIPE, which not every system has by name
_TERMINATED: Final = 128 + signal.SIGTERM


class Commands(MutableMapping[str, click.Command]):
    """The commands by name: each is the `command` of the module with its name, imported when it is first wanted."""

    def __init__(self) -> None:
        """Begin with nothing imported."""
        self._imported: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in COMMANDS:
            raise KeyError(name)
        if name not in self._imported:
            self._imported[name] = import_module(f"manometer.cli.{name}").command
        return self._imported[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._imported[name] = command

    def __delitem__(self, name: str) -> None:
        del self._imported[name]

    def __contains__(self, name: object) -> bool:
        return name in COMMANDS

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class Manometer(click.Group):
    """The group of all commands: shows them without importing them, and ends as exit codes promise."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click gives it
        """Name the commands in the order of the help."""
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click gives it
        """Write the commands with their lines."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one was probably meant."""
        name = args[0]
        if name in COMMANDS or name.startswith("-"):
            return super().resolve_command(ctx, args)
        from engine.findings import did_you_mean, show  # noqa: PLC0415 - only where something fails

        there = ", ".join(COMMANDS)
        raise click.UsageError(f"no command is called {show(name)}.{did_you_mean(name, COMMANDS)} There are: {there}.")

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command and end it as promised.

        Where a signal ends it, or the reader of its results has gone, it says nothing and ends with the code that
        shells give. A full disk and the like are one sentence.
        """
        try:
            with _terminated_in_order():
                result = super().invoke(ctx)
                sys.stdout.flush()
                return result
        except KeyboardInterrupt:
            raise click.exceptions.Exit(_INTERRUPTED) from None
        except BrokenPipeError:
            _forget_standard_output()
            raise click.exceptions.Exit(_NOT_READ) from None
        except ModuleNotFoundError as error:
            if error.name not in _EXTRA:
                raise
            from manometer.cli.failure import CommandError  # noqa: PLC0415 - only where something fails

            raise CommandError(f"{error.name} is not installed; pip install 'manometer[kafka]'") from error
        except OSError as error:
            _forget_standard_output()
            from manometer.cli.failure import CommandError, what_failed  # noqa: PLC0415 - only where something fails

            raise CommandError(f"{error.filename or 'standard output'}: {what_failed(error)}") from error


@contextmanager
def _terminated_in_order() -> Iterator[None]:
    """Let SIGTERM end the block as an exception does, so that files half-written are taken away."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - what a signal handler is given
    raise SystemExit(_TERMINATED)


def _forget_standard_output() -> None:
    """Send what is still to be flushed to nowhere, so that the interpreter does not complain when it ends."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())


@click.group(
    cls=Manometer,
    commands=Commands(),
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="To begin: manometer demo. Then docs/tutorial.md, which ends with a monitor of your own.",
)
@click.version_option(
    __version__, "-V", "--version", message="manometer %(version)s", help="Show the version and exit."
)
def main() -> None:
    """Watch models in production: is the model right, is the data right, is the machinery right?

    A workflow file says which streams there are and which monitors read them. Monitors turn records into metrics and
    alerts. Every command tells more about itself: manometer COMMAND --help.

    Results go to standard output, everything else to standard error. Exit codes: 0 fine, 1 a check found something,
    2 the command could not do its work.
    """
