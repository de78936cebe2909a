"""The boards as they are shipped: made from the catalogue, and rendered for Grafana."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from engine.plugins import builtin_monitors
from grafana.boards import boards
from grafana.panels import Board
from grafana.rendering import SOURCE, render
from manometer.cli.catalogue import OWN
from manometer.reference import Declared, catalogue


@cache
def declared() -> tuple[Declared, ...]:
    """Give the catalogue."""
    return tuple(catalogue(builtin_monitors(), OWN))


@cache
def all_boards() -> tuple[Board, ...]:
    """Make all boards."""
    return boards(declared())


@cache
def rendered() -> dict[str, dict[str, Any]]:
    """Give each board as Grafana loads it, by uid."""
    return {board.uid: render(board) for board in all_boards()}


def drawn(board: dict[str, Any]) -> list[dict[str, Any]]:
    """List the panels of a rendered board, headings left out."""
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def asked(board: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """List all that a rendered board asks InfluxDB: where it stands, and the statement."""
    uid = board["uid"]
    for panel in drawn(board):
        for target in panel["targets"]:
            if target["datasource"] == SOURCE:
                yield f"{uid}: {panel['title']}: {target['refId']}", target["query"]
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            yield f"{uid}: ${variable['name']}", variable["query"]
    for annotation in board["annotations"]["list"]:
        yield f"{uid}: {annotation['name']}", annotation["target"]["query"]
