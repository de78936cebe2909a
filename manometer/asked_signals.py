"""Signals that are collected in place of being obeyed, so that a process ends in order."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

STOPPING: Final = (signal.SIGINT, signal.SIGTERM)
"""They ask for an end."""


@contextmanager
def collected(*more: int) -> Iterator[list[int]]:
    """Collect what asks for an end, and other signals too where they are named."""
    asked: list[int] = []
    before = {number: signal.signal(number, lambda came, _: asked.append(came)) for number in (*STOPPING, *more)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
