"""Messages by HTTP: JSON lines in a POST, which carries a key that makes repeating it harmless."""

from __future__ import annotations

from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Final
from urllib.parse import SplitResult, urlsplit

from sensors.transport import Batch, Busy, Refused

TIMEOUT: Final = 5.0
"""Seconds that one step of a request may take."""
_TAKEN: Final = range(200, 300)
_REFUSED: Final = range(300, 500)
_AGAIN: Final = frozenset({408, 425, 429})
"""Statuses below 500 that mean: not now."""
_ANSWER_BYTES: Final = 64 * 1024


class Http:
    """Posts batches to one address, over a connection that is kept."""

    def __init__(self, url: str, token: str | None = None, timeout: float = TIMEOUT) -> None:
        """Prepare, without connecting.

        Raises:
            ValueError: this is no address to post to, or no token.
        """
        self._url = _checked(url)
        self._path = f"{self._url.path}?{self._url.query}" if self._url.query else self._url.path
        self._headers = {"Content-Type": "application/x-ndjson"}
        if token is not None:
            if not token.isascii() or not token.isprintable() or not token:
                raise ValueError("the token: expected printable ASCII text")
            self._headers["Authorization"] = f"Bearer {token}"
        self._timeout = timeout
        self._connection: HTTPConnection | None = None

    def deliver(self, batch: Batch) -> None:
        """Post a batch, and read the answer."""
        if self._connection is None:
            self._connection = self._connect()
        try:
            headers = {**self._headers, "Idempotency-Key": batch.identity}
            self._connection.request("POST", self._path, b"\n".join(batch.messages) + b"\n", headers)
            self._judge(self._connection.getresponse())
        except (OSError, HTTPException):
            self.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(OSError):
                connection.close()

    def _connect(self) -> HTTPConnection:
        kind = HTTPSConnection if self._url.scheme == "https" else HTTPConnection
        return kind(self._url.hostname or "", self._url.port, timeout=self._timeout)

    def _judge(self, answer: HTTPResponse) -> None:
        text = answer.read(_ANSWER_BYTES)
        if not answer.isclosed() or answer.will_close:
            self.close()
        status = answer.status
        if status in _TAKEN:
            return
        reason = f"{status} {answer.reason}: {text[:200].decode('utf-8', 'replace').strip()}"
        if status in _REFUSED and status not in _AGAIN:
            raise Refused(reason)
        raise Busy(reason, _seconds(answer.getheader("Retry-After")))


def _checked(url: str) -> SplitResult:
    parts = urlsplit(url)
    plain = url.isascii() and url.isprintable() and " " not in url
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path in {"", "/"} or "@" in parts.netloc:
        plain = False
    if not plain:
        raise ValueError(f"expected an address such as http://127.0.0.1:8300/topics/notify, got {url!r}")
    parts.port  # noqa: B018 - raises ValueError where it is no port
    return parts


def _seconds(text: str | None) -> float | None:
    """Read Retry-After where it tells seconds; a date would need two clocks that agree."""
    return float(text) if text is not None and text.isascii() and text.isdigit() else None
