"""What the live board shows: the boards of the catalogue, of a workflow too, with all that belongs to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Final

from engine.plan import Plan
from grafana.boards import boards
from manometer.board.describing import Boards
from manometer.board.reading import Reader
from manometer.board.replaying import Replays, replayed
from manometer.board.runbooks import Runbooks
from manometer.board.server import Content
from manometer.board.static_files import static_files
from manometer.cli.catalogue import beside_ours, declared_by
from manometer.reference import Declared

STATIC: Final = "static"


def content_of(
    reader: Reader,
    store: str,
    plan: Plan | None = None,
    *,
    file: Path | None = None,
    recordings: Mapping[str, Path] | None = None,
) -> Content:
    """Put together what is shown.

    Args:
        reader: reads the store.
        store: what it reads, for people.
        plan: the workflow whose monitors are on the boards beside those that come with Manometer.
        file: of the workflow.
        recordings: stream -> where its messages are recorded.

    Raises:
        FileNotFoundError: this installation lacks the page.
    """
    found = beside_ours(declared_by(plan))
    workflows = {} if plan is None or file is None else {plan.workflow: replayed(plan, file, recordings)}
    return Content(
        boards=Boards(boards(found)),
        reader=reader,
        store=store,
        files=static_files(Path(str(files("manometer.board") / STATIC))),
        runbooks=Runbooks(),
        replays=Replays(workflows),
        alert_tags=_tags(found, plan),
    )


def _tags(found: Sequence[Declared], plan: Plan | None) -> tuple[str, ...]:
    """Name the tags that alerts may have: those of metrics too, since an alert on a metric has its tags."""
    own = () if plan is None else (tag for attached in plan.monitors for tag in attached.tags)
    return tuple(dict.fromkeys((*(tag for item in found for tag in item.tags), *own)))
