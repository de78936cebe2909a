"""A store that is somebody's web server: each alert that begins or ends is sent there by POST."""

from __future__ import annotations

import hashlib
import hmac
import io
import socket
import ssl
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import msgspec

from archiver.retry_after import wait_of
from archiver.sink import Broken, Busy, Refused
from engine.events import Alert, Emission, encode

_SHOWN: Final = 200
_SCHEMES: Final = {"http": HTTPConnection, "https": HTTPSConnection}
_TAKEN: Final = range(200, 300)
_REDIRECTS: Final = range(300, 400)
_FAILURES: Final = range(500, 600)
_NOT_THIS_ONE: Final = frozenset({400, 413, 422})
_NOT_NOW: Final = frozenset({408, 409, 425, 429})
_ADVICE: Final = {
    401: "it does not accept us; check the secret and the URL",
    403: "it does not accept us; check the secret and the URL",
    404: "nothing there takes alerts; check the URL",
}
_OTHER_ADVICE: Final = "check that the URL takes a JSON object by POST"


class WebhookSink:
    """Sends each change of an alert, firing or resolved, as one POST; metrics and repeats are none of its business.

    Alerts go one after the other in the order of the archive. One that cannot be sent now holds back those after it; on
    the next try those that were taken are not sent again, unless the process ended in between: `Idempotency-Key`, the
    same for the same change for ever, lets the receiver see that.
    """

    name = "webhook"

    def __init__(self, url: str, *, secret: bytes | None = None, seconds: float = 10.0) -> None:
        """Take the address; nothing is sent before there is an alert.

        Args:
            url: where to POST, http or https. A certificate is checked; proxies and redirects are not followed.
            secret: the key of the signature; None: not signed.
            seconds: what connecting may take for each address of the host, and then what asking and answering may.

        Raises:
            Broken: the URL is none that can be used.
        """
        self._url = _checked(url)
        self._secret = secret
        self._seconds = seconds
        self._sent: dict[str, str | None] = {}
        """Of a write that is not finished: what was answered for good; key of the alert -> why it was refused."""

    def write(self, emissions: Sequence[Emission]) -> Sequence[Refused]:
        """Send the changes of alerts among the emissions; refused are those that the receiver calls malformed.

        Raises:
            Busy: no answer in time, or one that says later (5xx, 408, 409, 425, 429).
            Broken: an answer that no retry will change: wrong address, wrong secret, wrong certificate, a redirect.
        """
        refused = []
        for emission in emissions:
            if isinstance(emission, Alert) and not emission.repeat:
                reason = self._send(emission)
                if reason is not None:
                    refused.append(Refused(emission, reason))
        self._sent.clear()
        return refused

    def close(self) -> None:
        """Nothing is held between two calls."""

    def _send(self, alert: Alert) -> str | None:
        try:
            key = identity(alert)
            body = b'%s,"identity":"%s"}' % (encode(alert)[:-1], key.encode())
        except (TypeError, ValueError, RecursionError, msgspec.EncodeError) as error:
            return f"expected texts and evidence that JSON can hold: {error}"
        if key not in self._sent:
            self._sent[key] = self._judged(*self._answer(key, body))
        return self._sent[key]

    def _answer(self, key: str, body: bytes) -> tuple[HTTPResponse, str]:
        """POST once; gives the answer, and where it is no success the beginning of its text."""
        headers = {"Content-Type": "application/json", "User-Agent": "Manometer-Webhook/1", "Connection": "close"}
        headers["Idempotency-Key"] = key
        if self._secret is not None:
            headers["Manometer-Signature"] = signature(self._secret, body, int(time.time()))
        connection = _SCHEMES[self._url.scheme](self._url.hostname or "", self._url.port, timeout=self._seconds)
        try:
            connection.connect()
            with closing(connection.sock) as opened:
                connection.sock = _Timed(opened, time.monotonic() + self._seconds)
                connection.request("POST", _target(self._url), body, headers)
                response = connection.getresponse()
                return response, "" if response.status in _TAKEN else _beginning(response)
        except ssl.SSLCertVerificationError as error:
            raise Broken(f"{self._url.netloc}: its certificate is not trusted: {error.verify_message}") from error
        except (OSError, HTTPException) as error:
            raise Busy(reason=f"{self._url.netloc}: no answer: {str(error) or type(error).__name__}") from error

    def _judged(self, response: HTTPResponse, text: str) -> str | None:
        """Give None for success, or why this alert is refused.

        Raises:
            Busy: later.
            Broken: not before somebody acts.
        """
        status = response.status
        if status in _TAKEN:
            return None
        said = f"{self._url.netloc} answers {status}" + (f" ({text})" if text else "")
        if status in _NOT_THIS_ONE:
            return said
        if status in _NOT_NOW or status in _FAILURES:
            raise Busy(wait_of(response.headers.get("Retry-After"), time.time()), said)
        if status in _REDIRECTS:
            place = _one_line(response.headers.get("Location") or "nowhere")
            raise Broken(f"{said}, a redirect to {place}: none is followed; give the URL that takes alerts itself")
        raise Broken(f"{said}: {_ADVICE.get(status, _OTHER_ADVICE)}")


def identity(alert: Alert) -> str:
    """Give the `Idempotency-Key`: a hash of name, tags, time and state, the same wherever and whenever it is made.

    >>> identity(Alert("EngineSilent", 1_500_000, True, "critical", tags={"engine": "e1"}))[:16]
    '0ebc7f50906cf6b9'
    """
    parts = [alert.name, sorted((alert.tags or {}).items()), alert.time, "firing" if alert.firing else "resolved"]
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


def signature(secret: bytes, body: bytes, seconds: int) -> str:
    """Sign a body at a time (seconds since 1970), as `Manometer-Signature` carries it.

    >>> signature(b"secret", b"{}", 1)[:26]
    't=1,v1=1122767b193110cfec3'
    """
    signed = hmac.new(secret, b"%d.%s" % (seconds, body), hashlib.sha256)
    return f"t={seconds},v1={signed.hexdigest()}"


class _Timed:
    """A socket on which all calls together end at one time, however slowly the other side drips."""

    def __init__(self, opened: socket.socket, until: float) -> None:
        self._opened = opened
        self._until = until

    def sendall(self, data: bytes) -> None:
        self._limit()
        self._opened.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Incoming(self))

    def take(self, into: Any) -> int:
        self._limit()
        got = self._opened.recv_into(into)
        if not got:  # http.client would take what came so far for whole headers
            raise ConnectionError("it hung up in the middle of its answer")
        return got

    def close(self) -> None:
        """Leave it open for the rest of the answer; whoever opened it closes it."""

    def _limit(self) -> None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._opened.settimeout(left)


class _Incoming(io.RawIOBase):
    """What comes from a timed socket, as a file."""

    def __init__(self, source: _Timed) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any, /) -> int:
        return self._source.take(into)


def _checked(url: str) -> SplitResult:
    """Read a URL; what it may hide (a key in its path) is not shown in any sentence."""
    try:
        found = urlsplit(url)
        host, port = found.hostname or "", found.port
        host.encode("idna")
    except ValueError as error:
        raise Broken(f"webhook: expected a URL such as https://example.org/alerts: {error}") from None
    if (
        found.scheme not in _SCHEMES
        or not host
        or port == 0
        or not (url.isascii() and url.isprintable() and " " not in url)
    ):
        raise Broken("webhook: expected a URL such as https://example.org/alerts, http or https, in printable ASCII")
    if "@" in found.netloc:
        raise Broken("webhook: a user or password in the URL is not sent; sign with a secret instead")
    return found


def _target(url: SplitResult) -> str:
    return (url.path or "/") + (f"?{url.query}" if url.query else "")


def _beginning(response: HTTPResponse) -> str:
    with suppress(OSError, HTTPException):  # it only explains the status
        return _one_line(response.read1(_SHOWN).decode("utf-8", "replace"))
    return ""


def _one_line(text: str) -> str:
    """Keep what can stand in a sentence."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text[:_SHOWN]).split())
