"""How the two demos print: a page as wide as the terminal, lines that can be copied, commands that work here."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from manometer.demo.charts import ASCII, UNICODE
from manometer.demo.hints import Place
from manometer.demo.page import Page

_NARROWEST: Final = 60
_WIDEST: Final = 130
"""A wider terminal shows no more: charts have 96 columns at most."""


def page_of(console: Console) -> Page:
    """Make a page for a console."""
    return Page(max(_NARROWEST, min(console.width, _WIDEST)), ASCII if console.options.ascii_only else UNICODE)


def print_lines(console: Console, lines: Iterable[Text]) -> None:
    """Print lines as they are: a command that is wrapped cannot be copied."""
    for line in lines:
        console.print(line, soft_wrap=True)
    console.file.flush()


def here() -> Place:
    """Tell where the command was run."""
    return Place(folder=Path.cwd(), program=sys.argv[0], python=sys.executable, which=shutil.which)
