"""What a browser holds once the token was given: a cookie that proves it, and is not the token itself. Pure."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Final

from manometer.intake.access import Access, Denied

LASTS: Final = 7 * 86_400
"""Seconds until the token has to be given again."""
FAILURES: Final = 10
"""Wrong tokens in a minute, of all who try together."""
_MINUTE: Final = 60.0
_FOR: Final = b"manometer board session\n"


def session(token: str, until: int) -> str:
    """Make the content of the cookie; another token makes it worth nothing, a restart does not.

    >>> session("secret", 1_782_907_200).partition(".")[0]
    '1782907200'
    """
    return f"{until}.{_proof(token, until)}"


def is_session(token: str, content: str, now: float) -> bool:
    """Say whether a cookie proves that the token was given, and not too long ago.

    >>> is_session("secret", session("secret", 100), 99.0), is_session("secret", session("secret", 100), 101.0)
    (True, False)
    """
    end, _, proof = content.partition(".")
    if not (end.isascii() and end.isdigit() and len(end) <= len(str(2**40))):
        return False
    right = hmac.compare_digest(proof.encode("utf-8", "surrogatepass"), _proof(token, int(end)).encode())
    return right and now < int(end)


def cookie_name(token: str) -> str:
    """Name the cookie: browsers share cookies among the ports of a host, and each process may have its own token."""
    return f"manometer-{_proof(token, 0)[:8]}"


def check_session(access: Access, headers: Mapping[str, str], now: float) -> None:
    """Let a request pass that has the token or the cookie, or where neither is needed.

    Raises:
        Denied: 401 without them.
    """
    if access.token is not None:
        content = _cookie(headers.get("Cookie", ""), cookie_name(access.token))
        if is_session(access.token, content, now):
            return
    access.check_token(headers)


class Tries:
    """Counts wrong tokens, so that nobody tries many."""

    def __init__(self) -> None:
        """Begin with none."""
        self._failed: list[float] = []

    def check(self, now: float) -> None:
        """Let one more be tried, or not.

        Raises:
            Denied: too many were wrong lately.
        """
        self._failed = [when for when in self._failed if now - when < _MINUTE]
        if len(self._failed) >= FAILURES:
            raise Denied(429, "tries", "too many wrong tokens; try again in a minute")

    def failed(self, now: float) -> None:
        """Count a wrong one."""
        self._failed.append(now)


def _proof(token: str, until: int) -> str:
    key = token.encode("utf-8", "surrogatepass")
    return hmac.new(key, _FOR + str(until).encode(), hashlib.sha256).hexdigest()


def _cookie(header: str, name: str) -> str:
    """Find a cookie, whatever else the browser sends: other programs on this host set cookies too."""
    cookies = dict(part.strip().partition("=")[::2] for part in header.split(";"))
    return cookies.get(name, "")
