"""The live board of `manometer run`: over the process's own archive file, on the address of the intake."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from engine.plan import Plan
from manometer.board.content import content_of
from manometer.board.server import BoardPaths
from manometer.board.sqlite_reader import SqliteReader
from manometer.cli.run_settings import Settings

ARCHIVE = "archive.db"


@contextmanager
def board_paths(plan: Plan, settings: Settings) -> Iterator[BoardPaths]:
    """Make the paths of the board; the archive file is there already."""
    archive = settings.data / ARCHIVE
    content = content_of(
        SqliteReader(archive),
        f"sqlite={archive}",
        plan,
        file=settings.workflow,
        recordings=dict(settings.follow),
    )
    with closing(BoardPaths(content, settings.access)) as paths:
        yield paths
