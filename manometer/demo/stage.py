"""The lines around the picture of the live demo: what it is, where the story is, and what to try now."""

from __future__ import annotations

from collections import deque
from typing import Final

from rich.text import Text

from engine.times import SECOND
from manometer.demo import story
from manometer.demo.half_year import half_year_lines
from manometer.demo.live import Moment
from manometer.demo.words import clock

_EVENTS: Final = 2


class Stage:
    """Remembers what happened last."""

    def __init__(self) -> None:
        """Begin before the story does."""
        self._events: deque[story.Event] = deque(maxlen=_EVENTS)

    def around(self, moment: Moment) -> tuple[list[Text], list[Text]]:
        """Give the lines before and after a picture."""
        self._events += moment.events
        title = Text(" Manometer ", style="bold reverse").append(" ")
        title.append(f"{len(story.ENGINES)} engines live one recorded day: {_hour(moment.day)}", style="default")
        title.append(f"   board: {moment.address}/", style="bold")
        half_year = [] if moment.half_year is None else [Text(f" {line}") for line in half_year_lines(moment.half_year)]
        foot = [Text(f" {_hour(event.at)} {event.told}", style="cyan") for event in self._events]
        if moment.day >= story.DAY:
            foot.append(
                Text(" The story is told. The engines go on; break something, or end with Ctrl-C.", style="bold")
            )
        name = next(iter(moment.pids), None)
        if name is not None:
            foot.append(_try(f"kill -9 {moment.pids[name]}", f"# {name} falls silent"))
        foot.append(_try(f"curl --json garbage {moment.address}/topics/notify", ""))
        return [title, *half_year, Text()], [Text(), *foot, Text(" end: Ctrl-C", style="dim")]


def _hour(day: float) -> str:
    """Write the time of the recorded day.

    >>> _hour(3_660.0)
    '01:01'
    """
    return clock(round(day % story.DAY) * SECOND)[:5]


def _try(command: str, why: str) -> Text:
    return Text.assemble((" try: ", "dim"), command, (f"  {why}", "dim"))
