"""`manometer board`: the boards of a store in the browser, live, with no Grafana."""

from __future__ import annotations

import re
import time
from contextlib import closing
from pathlib import Path
from typing import Final

import click

from engine.plan import Plan
from manometer.asked_signals import collected
from manometer.board.content import content_of
from manometer.board.opening import StoreMistake, open_reader
from manometer.board.reading import Reader, TooMuch, Unreadable
from manometer.board.server import BoardPaths, now
from manometer.cli.failure import CommandError, told, what_failed
from manometer.cli.token_file import read_token
from manometer.cli.workflow_file import read_plan
from manometer.intake.access import Access, is_loopback
from manometer.intake.listening import Listener

PORT: Final = 8301
_LOOK: Final = 0.1
_SHOWN: Final = 12 * 3_600_000


@click.command("board")
@click.argument("file", metavar="[FILE.db]", required=False)
@click.option("--store", metavar="KIND=TARGET", help="The store: sqlite=FILE.db, or influxdb=URL with options.")
@click.option("--workflow", metavar="FILE", help="Show what the monitors of this workflow emit too.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=PORT, show_default=True, type=click.IntRange(0, 65_535), help="Port; 0 takes a free one."
)
@click.option("--token-file", metavar="FILE", help="Holds the token that the page asks for.")
def command(  # noqa: PLR0913, PLR0917 - click passes options one by one
    file: str | None, store: str | None, workflow: str | None, host: str, port: int, token_file: str | None
) -> None:
    """Show the boards of a store in the browser, live.

    FILE.db is an SQLite file that `run`, `archive`, `replay` or `demo` writes or has written. Nothing is written to it.
    `manometer run --embedded` serves the same page itself.

    \b
    Examples:
      $ manometer board demo.data/archive.db
      $ manometer board --workflow workflows/demo.yaml archive.db
      $ manometer board --store \\
          influxdb=http://127.0.0.1:8086,bucket=manometer,token-file=token

    Exit codes: 0 it was stopped; 2 the store cannot be read, or nothing be listened on.

    Read next: docs/board.md
    """  # noqa: D301 - click reads the character that \b stands for
    if (file is None) == (store is None):
        raise CommandError("expected either FILE.db or --store KIND=TARGET")
    if token_file is None and not is_loopback(host):
        raise CommandError(f"--host {host}: everyone on the network could read; give --token-file FILE as well")
    access = Access(host, None if token_file is None else read_token(Path(token_file)))
    plan = None if workflow is None else read_plan(Path(workflow))
    with told():
        _serve(store or f"sqlite={file}", access, port, (plan, workflow))


def _opened(store: str) -> Reader:
    try:
        return open_reader(store)
    except (StoreMistake, Unreadable) as error:
        raise CommandError(f"--store: {error}" if isinstance(error, StoreMistake) else str(error)) from None


def _serve(store: str, access: Access, port: int, workflow: tuple[Plan | None, str | None]) -> None:
    """Serve until a signal comes."""
    plan, file = workflow
    reader, shown = _opened(store), store if store.startswith("sqlite=") else re.split("[,?]", store)[0]
    paths = BoardPaths(content_of(reader, shown, plan, file=None if file is None else Path(file)), access)
    with closing(paths), collected() as asked:
        try:
            newest = reader.newest()
        except (TooMuch, Unreadable) as error:
            raise CommandError(str(error)) from None
        listener = Listener(access, port, [paths])
        with closing(listener):
            address = access.address(_listen(listener, access, port))
            click.echo(f"the board: {address}/")
            if newest is not None and newest < now() - _SHOWN:
                click.echo(f"the newest there is: {address}/?from={newest - _SHOWN}&to={newest + 1}")
            click.echo(f"it shows {shown}; to end: Ctrl-C", err=True)
            while not asked:
                time.sleep(_LOOK)


def _listen(listener: Listener, access: Access, port: int) -> int:
    try:
        return listener.start()
    except OSError as error:
        raise CommandError(
            f"{access.host}:{port}: cannot listen: {what_failed(error)}; choose another --port"
        ) from error
