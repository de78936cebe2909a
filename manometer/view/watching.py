"""Shows a running workflow on a terminal, look after look."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

from engine.embedded.runner import Embedded
from manometer.view.picture import Picture, look
from manometer.view.screen import screen
from manometer.view.tracks import Tracks


class Eye:
    """Looks at an embedded process, and remembers what it saw."""

    def __init__(self, embedded: Embedded) -> None:
        """Begin with nothing seen."""
        self._embedded = embedded
        self._tracks = Tracks()

    def look(self) -> Picture:
        """Say what there is to see now."""
        view, table = self._embedded.view(), self._embedded.readings()
        self._tracks.take(view, table)
        return look(self._embedded.plan, view, table, self._tracks)


@contextmanager
def watching(embedded: Embedded, console: Console, address: str) -> Iterator[Callable[[], None]]:
    """Take the terminal; what is given draws an embedded process as it is then, and is called a few times a second."""
    eye = Eye(embedded)
    title = Text.assemble((" Manometer ", "bold reverse"), f" {embedded.plan.workflow}   POST {address}/topics/TOPIC")
    with screen(console) as show:
        yield lambda: show(eye.look(), ([title, Text()], [Text(" end: Ctrl-C", style="dim")]))
