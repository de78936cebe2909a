"""Texts and numbers in columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.findings import one_line


def columns(head: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    """Write lines of cells below a head; numbers stand at the right.

    >>> print(columns(("topic", "partitions"), [("notify", 4), ("archive", None)]))
    topic    partitions
    notify            4
    archive
    """
    given: list[Sequence[object]] = list(lines)
    cells = [[one_line("" if cell is None else str(cell)) for cell in line] for line in [head, *given]]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    right = [any(isinstance(line[place], int) for line in given) for place in range(len(widths))]
    return "\n".join(_line(line, widths, right) for line in cells)


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    placed = zip(cells, widths, right, strict=True)
    return "  ".join(cell.rjust(width) if at_right else cell.ljust(width) for cell, width, at_right in placed).rstrip()
