"""Who may send: everyone on this machine, elsewhere those with the token; never a web page of somebody else."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

import msgspec

OPEN: Final = frozenset({"/healthz", "/readyz"})
"""Paths that need no token, so that whoever supervises the process can ask."""


class Denied(Exception):  # noqa: N818 - says what was refused
    """A request that must not be answered."""

    def __init__(self, status: int, error: str, detail: str) -> None:
        """Keep the HTTP status, a word for programs and a sentence for people."""
        super().__init__(detail)
        self.status = status
        self.error = error


def is_loopback(host: str) -> bool:
    """Say whether an address can only be reached from this machine.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("::1"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class Access(msgspec.Struct, frozen=True):
    """The rules of one listening address."""

    host: str
    token: str | None = None

    def address(self, port: int) -> str:
        """Write the address to ask at, once a port is listened on.

        >>> Access("127.0.0.1").address(80), Access("::1").address(80)
        ('http://127.0.0.1:80', 'http://[::1]:80')
        """
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{port}"

    def check(self, path: str, headers: Mapping[str, str]) -> None:
        """Let a request pass, or not.

        A page in a browser can be made to ask this machine (DNS rebinding, forms): its requests name a host or an
        origin that is not ours.

        Raises:
            Denied: 401 without the token, 403 from elsewhere.
        """
        self.check_place(headers)
        if path not in OPEN:
            self.check_token(headers)

    def check_place(self, headers: Mapping[str, str]) -> None:
        """Let a request pass that comes from here, or from where it may.

        Raises:
            Denied: 403, it was made by a page of somebody else.
        """
        host = _name(headers.get("Host", ""))
        if is_loopback(self.host) and not (is_loopback(host) or host == self.host):
            raise Denied(403, "host", f"expected the Host header to name this machine, got {host[:100]!r}")
        origin = headers.get("Origin")
        if origin is not None and _place(origin) != headers.get("Host"):
            raise Denied(403, "origin", f"requests of web pages from elsewhere are refused: {origin[:100]!r}")

    def check_token(self, headers: Mapping[str, str]) -> None:
        """Let a request pass that has the token, or where none is needed.

        Raises:
            Denied: 401 without it.
        """
        scheme, _, given = headers.get("Authorization", "").partition(" ")
        if self.token is not None and (scheme.lower() != "bearer" or not self.is_token(given.strip())):
            raise Denied(401, "token", "expected the header: Authorization: Bearer TOKEN")

    def is_token(self, given: str) -> bool:
        """Say whether a text is the token; how long that takes tells nothing of it."""
        return self.token is None or hmac.compare_digest(
            given.encode("utf-8", "surrogatepass"), self.token.encode("utf-8", "surrogatepass")
        )


def _name(host: str) -> str:
    """Take the port off a Host header."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _place(origin: str) -> str | None:
    """Take host and port out of an Origin header."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None
