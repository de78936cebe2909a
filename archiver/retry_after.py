"""`Retry-After`: what a store over HTTP says when it cannot take anything now."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import Final

LONGEST_WAIT: Final = 3_600.0
"""Seconds; a server that asks for more with `Retry-After` is asked again all the same."""

_SECONDS: Final = re.compile(r"\d{1,18}", re.ASCII)


def wait_of(text: str | None, now: float) -> float | None:
    """Read `Retry-After`, seconds or a date, as seconds from now, at most an hour; None where it says nothing clear.

    >>> wait_of("120", 0), wait_of("Thu, 01 Jan 1970 00:01:00 GMT", 50), wait_of("9" * 18, 0), wait_of("soon", 0)
    (120.0, 10.0, 3600.0, None)
    """
    given = (text or "").strip()
    if _SECONDS.fullmatch(given):
        return min(float(given), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(given)
        return min(max(moment.timestamp() - now, 0.0), LONGEST_WAIT)
    except (ValueError, OverflowError):
        return None
