"""How often commands that handle many messages look for garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

COLLECT_EVERY: Final = 20_000
"""New objects between two searches for garbage in cycles. Python's own 700 costs a tenth of the time; more than this
gains nothing, and rejects leave cycles behind, so that memory would grow."""


@contextmanager
def collecting_rarely() -> Iterator[None]:
    """Leave what was loaded so far out of the search for garbage, and search less often."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(COLLECT_EVERY, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
