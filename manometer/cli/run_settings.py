"""What the options of `manometer run` say, checked before anything begins."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from engine.findings import did_you_mean, listing
from engine.plan import Plan
from engine.times import parse_duration
from manometer.cli.failure import CommandError
from manometer.cli.token_file import read_token
from manometer.intake.access import Access, is_loopback

_FLAGS: Final = (("no_board", "--no-board"), ("view", "--view"))


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the options say."""

    workflow: Path
    data: Path
    access: Access
    port: int
    follow: tuple[tuple[str, Path], ...]
    sinks: tuple[str, ...]
    keep: int
    """Microseconds."""
    board: bool
    """Whether the boards are served."""
    view: bool
    """Whether this terminal shows what happens."""


def check_way(embedded: bool, kafka: str | None, options: dict[str, Any]) -> None:
    """Check that a workflow is told to run in one way, with options that belong to it.

    Raises:
        CommandError: it is not.
    """
    if embedded == (kafka is not None):
        raise CommandError("expected either --embedded or --kafka HOST:PORT")
    if kafka is None:
        return
    for name, option in (("data", "--data"), ("follow", "--follow"), ("sinks", "--sink"), *_FLAGS):
        if options[name]:
            raise CommandError(f"{option} belongs to --embedded; with --kafka topics take the messages and the archive")


def settings_of(plan: Plan, workflow: Path, data: str | None, options: dict[str, Any]) -> Settings:
    """Read the options.

    Raises:
        CommandError: one of them makes no sense.
    """
    host, token_file = options["host"], options["token_file"]
    if token_file is None and not is_loopback(host):
        raise CommandError(
            f"--host {host}: everyone on the network could send and read; give --token-file FILE as well"
        )
    return Settings(
        workflow=workflow,
        data=Path(data or f"{plan.workflow}.data"),
        access=Access(host, None if token_file is None else read_token(Path(token_file))),
        port=options["port"],
        follow=tuple(_followed(plan, text) for text in options["follow"]),
        sinks=options["sinks"],
        keep=_keep(options["keep"]),
        board=not options["no_board"],
        view=_on_terminal(view=options["view"]),
    )


def _followed(plan: Plan, text: str) -> tuple[str, Path]:
    stream, equals, file = text.partition("=")
    if not equals or not file:
        raise CommandError(f"--follow {text}: expected STREAM=FILE")
    if stream not in plan.streams:
        hint = did_you_mean(stream, plan.streams)
        raise CommandError(f"--follow {text}: no stream is called {stream!r}.{hint} There are: {listing(plan.streams)}")
    return stream, Path(file).resolve()


def _on_terminal(*, view: bool) -> bool:
    if view and not sys.stdout.isatty():
        raise CommandError("--view: expected a terminal on standard output; leave it out, and see GET /metrics")
    return view


def _keep(text: str) -> int:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise CommandError(f"--keep {text}: {error}") from error
