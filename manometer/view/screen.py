"""A picture that stays on the terminal and changes, without scrolling; afterwards the terminal is as it was before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from manometer.demo.charts import ASCII, UNICODE
from manometer.view.drawing import Sheet, draw
from manometer.view.picture import Picture

REFRESH: Final = 0.25
"""Seconds between two pictures."""

Around = tuple[Sequence[Text], Sequence[Text]]
"""Lines before and after a picture."""
Show = Callable[[Picture, Around], None]
"""Draws a picture."""


@contextmanager
def screen(console: Console) -> Iterator[Show]:
    """Take the whole terminal; what is given draws a picture, as large as the terminal is at that moment."""
    glyphs = ASCII if console.options.ascii_only else UNICODE
    with Live(console=console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False) as live:

        def show(picture: Picture, around: Around) -> None:
            width, height = console.size
            live.update(Group(*draw(picture, Sheet(width, glyphs), height, around)), refresh=True)

        yield show
