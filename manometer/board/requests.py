"""What a request carries: parameters, a form, and whether a page of somebody else made it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import parse_qs

from aiohttp import web

from manometer.board.asking import Given
from manometer.intake.access import Denied

FORM_BYTES: Final = 8_192
FORM_SECONDS: Final = 10.0


def given_in(request: web.Request) -> Given:
    """Read the parameters of the address."""
    found: dict[str, list[str]] = {}
    for name, value in request.query.items():
        found.setdefault(name, []).append(value)
    return found


async def form_in(request: web.Request) -> Mapping[str, Sequence[str]]:
    """Read a form of whoever sends one: it is short, and does not take long.

    Raises:
        Denied: it is not.
    """
    if request.content_length is None or request.content_length > FORM_BYTES:
        raise Denied(413, "body", f"expected a form of at most {FORM_BYTES} bytes")
    try:
        async with asyncio.timeout(FORM_SECONDS):
            data = await request.read()
    except TimeoutError:
        raise Denied(408, "slow", f"the form did not come within {FORM_SECONDS:.0f} s") from None
    except (web.RequestPayloadError, ValueError):
        raise Denied(400, "body", "the form cannot be read") from None
    return parse_qs(data.decode("utf-8", "replace"))


def check_site(headers: Mapping[str, str]) -> None:
    """Refuse what a page of somebody else makes a browser load; links from there may be followed.

    Raises:
        Denied: it is.
    """
    if headers.get("Sec-Fetch-Site") == "cross-site" and headers.get("Sec-Fetch-Mode") != "navigate":
        raise Denied(403, "origin", "requests of web pages from elsewhere are refused")
