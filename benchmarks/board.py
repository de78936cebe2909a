"""How fast the live board opens: Overview over the last twelve hours of 200 engines, about seven million points.

The store is one SQLite file, made first; the server is the command of a user, the browser a real Chromium on the same
machine. Every time is one that the browser itself took, from the moment it was given the address: to the first paint,
and to the moment when all panels in view have drawn. Then the page is loaded again and again, and the memory of the
server compared. The exit code is 1 where the board is slower, or the memory grows more, than was promised.

    python benchmarks/board.py [--long | --tiny]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final, NamedTuple

from playwright.sync_api import Browser

from benchmarks import _reports
from benchmarks._made_store import make
from benchmarks.long import machine
from engine.clock import SystemClock
from tests.manometer.board.browser.looking import COMPLETE, looks
from tests.manometer.board.browser.serving import Board
from tests.services.browser import browser
from tests.services.running import Missing

FIRST_PAINT: Final = 1.0
WHOLE: Final = 3.0
"""Seconds, the median of several loads."""
GROWTH: Final = 32 << 20
"""Bytes by which the server may have grown after RELOADS more loads."""
RELOADS: Final = 50
_PAINTED: Final = "first-contentful-paint"
_NOTED: Final = "(names) => names.every((name) => performance.getEntriesByName(name).length)"
_SECONDS: Final = "(name) => performance.getEntriesByName(name)[0].startTime / 1000"


class Size(NamedTuple):
    """What is measured."""

    engines: int
    hours: int
    loads: int
    """How many times the page is opened by somebody who was never there."""
    reloads: int
    """How many times it is loaded after that, for the memory."""


LARGE: Final = Size(engines=200, hours=12, loads=5, reloads=RELOADS)
SMALL: Final = Size(engines=40, hours=1, loads=1, reloads=3)


def opened(found: Browser, board: Board) -> dict[str, float]:
    """Open the Overview once, in a browser that has nothing of it, and give the browser's own times."""
    with looks(found) as look:
        page = look.open(board.at(since="now-12h", until="now"))
        page.wait_for_function(_NOTED, arg=[_PAINTED, COMPLETE])
        painted, done = (page.evaluate(_SECONDS, name) for name in (_PAINTED, COMPLETE))
        return {"first_paint_seconds": painted, "complete_seconds": done}


def measure(found: Browser, board: Board, size: Size) -> dict[str, Any]:
    """Open the board several times, then again and again."""
    times = [opened(found, board) for _ in range(size.loads)]
    before = board.resident
    for _ in range(size.reloads):
        opened(found, board)
    return {
        **{name: statistics.median(one[name] for one in times) for name in times[0]},
        "slowest_complete_seconds": max(one["complete_seconds"] for one in times),
        "server_bytes": board.resident,
        "server_bytes_grown": board.resident - before,
        "reloads": size.reloads,
    }


def kept(figures: Mapping[str, Any]) -> bool:
    """Say whether what was promised held."""
    fast: bool = figures["first_paint_seconds"] < FIRST_PAINT and figures["complete_seconds"] < WHOLE
    return fast and bool(figures["server_bytes_grown"] < GROWTH)


def measured(found: Browser, size: Size, folder: Path) -> dict[str, Any]:
    """Make a store in a folder, and measure the board over it."""
    begun = time.perf_counter()
    points = make(folder / "made.db", SystemClock().now(), engines=size.engines, hours=size.hours)
    made = {"points": points, "making_seconds": time.perf_counter() - begun}
    board = Board(folder / "made.db", folder)
    board.start()
    try:
        return {"engines": size.engines, "hours": size.hours, **made, **measure(found, board, size)}
    finally:
        board.stop()


def main() -> int:
    """Measure, print a table and the figures as JSON; gives 1 where a promise was not kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--long", action="store_true", help="more loads")
    size.add_argument("--tiny", action="store_true", help="a small store, to see that it works")
    given = parser.parse_args()
    chosen = SMALL if given.tiny else LARGE._replace(loads=11) if given.long else LARGE
    about = {"date": datetime.now(timezone.utc).strftime("%Y-%m-%d"), "machine": machine()}
    with tempfile.TemporaryDirectory() as folder:
        try:
            with browser() as found:
                figures = measured(found, chosen, Path(folder))
        except Missing as missing:
            print(missing)
            print(json.dumps({"missing": str(missing), **about}))
            return 0
    print(_reports.table(list(figures.items())))
    print(json.dumps({**figures, **about}))
    return 0 if given.tiny or kept(figures) else 1


if __name__ == "__main__":
    sys.exit(main())
