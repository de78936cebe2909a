"""What the report is drawn for: a width, a set of characters, and what follows from them."""

from __future__ import annotations

from typing import Final

import msgspec
from rich.text import Text

from manometer.demo.charts import Glyphs, axis, fitting

NAME: Final = 13
NUMBER: Final = 8
BEFORE: Final = 1 + NAME + 2 * NUMBER + 1
"""What stands left of a chart: a name and two numbers."""


class Page(msgspec.Struct, frozen=True):
    """How wide lines may be, and what they are made of."""

    width: int
    glyphs: Glyphs

    @property
    def columns(self) -> int:
        """How many columns charts have."""
        return fitting(self.width - BEFORE - 1)

    def heading(self, text: str) -> Text:
        """Draw the line that begins a part."""
        line = self.glyphs.line
        rest = max(0, self.width - 1 - len(text) - 4)
        return Text.assemble((f"{line * 2} ", "dim"), (text, "bold"), (f" {line * rest}", "dim"))

    def top(self, first: str, second: str) -> Text:
        """Draw the line over charts: what the two numbers are, and the hours."""
        return Text(f" {'':{NAME}}{first:>{NUMBER}}{second:>{NUMBER}} {axis(self.columns)}".rstrip(), style="dim")
