"""Lists on a terminal: a table where it fits, paragraphs where it does not."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import Final

import click

_INDENT: Final = "    "


def show(table: str, paragraphs: Iterable[tuple[str, Sequence[str]]]) -> None:
    """Print a table or, on a terminal that is too narrow for it, the same as paragraphs.

    Args:
        table: lines that must not be wrapped.
        paragraphs: the first line of each and the texts that are indented below it.
    """
    width = shutil.get_terminal_size().columns
    if sys.stdout.isatty() and max(map(len, table.splitlines()), default=0) > width:
        click.echo("\n\n".join(paragraph(head, texts, width=width) for head, texts in paragraphs))
    else:
        click.echo(table)


def paragraph(head: str, texts: Sequence[str], *, width: int) -> str:
    """Write a head and indented texts below it, wrapped to a width.

    >>> print(paragraph("memory_bytes: gauge", ["Memory in use.", "from: resources"], width=20))
    memory_bytes: gauge
        Memory in use.
        from: resources
    """
    return "\n".join([*_wrapped(head, width, ""), *(line for text in texts for line in _wrapped(text, width, _INDENT))])


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=indent or _INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )
