"""A store that is InfluxDB 2, or anything that takes its write API: metrics and alerts as points."""

from __future__ import annotations

import gzip
import ipaddress
import re
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import msgspec
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.domain.write_precision import WritePrecision
from influxdb_client.rest import ApiException
from influxdb_client.service.write_service import WriteService
from urllib3.exceptions import HTTPError

from archiver.line_protocol import ALERTS, Line, LineProtocol
from archiver.retry_after import wait_of
from archiver.sink import Broken, Busy, Refused
from engine.events import Emission

LINES: Final = 5_000
"""Points in one request: more are not faster, and a request that fails is cut from here."""

_FIRST: Final = LINES // 5
"""Points in the first request of several: the server begins while the text of the next is built."""
_GZIP_LEVEL: Final = 1
_SHOWN: Final = 400
_CUT: Final = frozenset({400, 413, 422})
"""Some points of the request are at fault, or there are too many: it is cut in two."""
_NOT_NOW: Final = frozenset({408, 409, 425, 429})
_FAILURES: Final = range(500, 600)
_DROPPED: Final = re.compile(r"partial write: (?:dropped (\d+) points |.* dropped=(\d+)$)", re.DOTALL)
"""How many points a server says it left out, writing the others: in 2.8 of those that are too old, and of the rest."""
_RETENTION: Final = "retention policy"


class _Answer(msgspec.Struct, frozen=True):
    """What the server says against the points of a request."""

    reason: str
    expired: bool
    """Whether they are older than what the bucket keeps."""
    dropped: int
    """How many it names as dropped; it wrote all others. 0 where it names none, and wrote nothing."""


class InfluxSink:
    """Writes each emission as a point of one bucket, thousands in one request.

    A request that the server finds fault with is cut in two until the culprits stand alone; these are refused with the
    server's own reason, the rest is written. Points that are older than what the bucket keeps are refused as expired.
    """

    name = "influxdb"

    def __init__(self, url: str, *, org: str, bucket: str, token: str, seconds: float = 10.0) -> None:
        """Take the address; nothing is sent before there is something to write.

        Args:
            url: the server, http or https. A certificate is checked; proxies and redirects are not followed.
            org: the organisation's name or id.
            bucket: the bucket's name or id.
            token: may write the bucket; needs no other right.
            seconds: how long the server may be silent.

        Raises:
            Broken: the URL or the token is none that can be used.
        """
        self._url = _checked(url)
        self._org, self._bucket = org, bucket
        if not (token.isascii() and token.isprintable() and token.strip() == token):
            raise Broken(f"influxdb: {self._url.netloc}: expected a token of printable ASCII in one line")
        self._client: Any = InfluxDBClient(url, token, org=org, timeout=int(seconds * 1000), retries=False)
        service: Callable[..., Any] = WriteService
        self._post = service(self._client.api_client).post_write
        self._protocol = LineProtocol()
        self._sender = ThreadPoolExecutor(1, "influxdb")
        """Sends one request while the text of the next is built."""
        self._packs = not _is_here(self._url.hostname or "")

    def write(self, emissions: Sequence[Emission]) -> Sequence[Refused]:
        """Write all emissions; refused are numbers that are not numbers, and what the server finds fault with.

        Raises:
            Busy: no answer in time, or one that says later (5xx, 408, 409, 425, 429).
            Broken: an answer that no retry will change: wrong address, token, organisation or bucket.
        """
        refused: list[Refused] = []
        sending: Future[list[Refused]] | None = None
        starts = [0, *range(_FIRST, len(emissions), LINES)]
        for start, end in pairwise([*starts, len(emissions)]):
            lines, unwritable = self._protocol.lines(emissions[start:end])
            refused += unwritable
            if sending is not None:
                refused += sending.result()
            sending = self._sender.submit(self._put, lines) if lines else None
        return refused if sending is None else refused + sending.result()

    def points(self, workflow: str) -> int:
        """Count the points and alerts of a workflow; the token has to be one that may read.

        Raises:
            Busy: no answer, or one that says later.
            Broken: an answer that no retry will change.
        """
        quoted = workflow.replace("\\", "\\\\").replace("'", "\\'")
        asked = f"SELECT count(value), count(firing) FROM /.*/ WHERE workflow = '{quoted}'"  # noqa: S608 - it is quoted
        query = {"db": self._bucket, "q": asked}
        try:
            found, *_ = self._client.api_client.call_api("/query", "GET", query_params=query, response_type="object")
        except ApiException as error:
            raise Broken(self._judged(error).reason) from error
        except (HTTPError, OSError, UnicodeDecodeError) as error:
            raise Busy(reason=f"{self._url.netloc}: no answer: {_one_line(str(error))}") from error
        (result,) = found["results"]
        if "error" in result:
            raise Broken(f"{self._url.netloc}: {_one_line(result['error'])}")
        return sum(_count(series) for series in result.get("series", ()))

    def close(self) -> None:
        """Let go of the connection."""
        self._sender.shutdown()
        self._client.close()

    def _put(self, lines: list[Line]) -> list[Refused]:
        """Write lines, and give those that the server refuses."""
        answer = self._answer("\n".join([line.text for line in lines]).encode())
        if answer is None:
            return []
        if len(lines) == 1 or answer.dropped == len(lines):
            return [Refused(line.emission, answer.reason, answer.expired) for line in lines]
        # Neighbours share their fate: age, or the type that a measurement has. So few halves hold both sorts.
        lines.sort(key=_by_age if answer.expired else _by_name)
        middle = len(lines) // 2
        return self._put(lines[:middle]) + self._put(lines[middle:])

    def _answer(self, body: bytes) -> _Answer | None:
        """Send lines once; gives None for success, or what is said against them.

        Raises:
            Busy: later.
            Broken: not before somebody acts.
        """
        more = {"content_encoding": "gzip"} if self._packs else {}
        sent = gzip.compress(body, _GZIP_LEVEL) if self._packs else body
        try:
            self._post(
                self._org,
                self._bucket,
                sent,
                precision=WritePrecision.NS,
                content_type="text/plain; charset=utf-8",
                **more,
            )
        except ApiException as error:
            return self._judged(error)
        except (HTTPError, OSError, UnicodeDecodeError) as error:
            raise Busy(reason=f"{self._url.netloc}: no answer: {_one_line(str(error))}") from error
        return None

    def _judged(self, error: ApiException) -> _Answer:
        text = _one_line(str(error.message or error.reason or ""))
        said = f"{self._url.netloc} answers {error.status}" + (f" ({text})" if text else "")
        if error.status in _CUT:
            dropped = _DROPPED.search(str(error.message))
            return _Answer(said, _RETENTION in text, int(dropped[1] or dropped[2]) if dropped else 0)
        if error.status in _NOT_NOW or error.status in _FAILURES:
            told = error.headers.get("Retry-After") if error.headers else None
            raise Busy(wait_of(told, time.time()), said) from error
        raise Broken(f"{said}: {self._advice(error.status)}") from error

    def _advice(self, status: int) -> str:
        place = f"bucket {self._bucket} of organisation {self._org}"
        return {
            0: "its certificate is not trusted; SSL_CERT_FILE names the certificates to trust",
            401: "it does not know the token; check token-file",
            403: f"the token may not write {place}; make one that may, and check token-file",
            404: f"there is no {place} that the token may see; make the bucket, or check org, bucket and token-file",
        }.get(status, "check that the URL is that of an InfluxDB 2")


def _checked(url: str) -> SplitResult:
    """Read a URL; what it may hide is not shown in any sentence."""
    expected = "influxdb: expected a URL such as http://127.0.0.1:8086"
    try:
        found = urlsplit(url)
        host, port = found.hostname or "", found.port
        host.encode("idna")
    except ValueError as error:
        raise Broken(f"{expected}: {error}") from None
    if found.scheme not in {"http", "https"} or not host or port == 0 or not (url.isascii() and url.isprintable()):
        raise Broken(f"{expected}, http or https, in printable ASCII")
    if "@" in found.netloc or found.query or found.fragment or " " in url:
        raise Broken(f"{expected}, without user, password or query; org, bucket and token-file are options")
    return found


def _is_here(host: str) -> bool:
    """Say whether a host is this machine: packing costs more than it saves on a line that is as fast as memory."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _count(series: Mapping[str, Any]) -> int:
    """Give how many points a series of an answer counts: an alert is one, whether it has a value or not."""
    ((_, values, firing),) = series["values"]
    return int((firing if series["name"] == ALERTS else values) or 0)


def _by_age(line: Line) -> int:
    return line.emission.time


def _by_name(line: Line) -> tuple[str, int]:
    return line.text.partition(",")[0], line.emission.time


def _one_line(text: str) -> str:
    """Keep what can stand in a sentence."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text[:_SHOWN]).split())
