"""What may be wrong with the InfluxDB that keeps the archive, and with the tokens of those who write and read it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from engine.clock import Clock
from engine.times import SECOND
from manometer.diagnosing.asking import Answer, NoAnswer, Server
from manometer.diagnosing.line import Line

NAME: Final = "manometer_doctor"
"""Of what is written to see that writing works; it is taken away again."""
SKEW: Final = 2.0
"""Seconds that two clocks may differ; an answer tells whole seconds only."""
LOOKS_BACK: Final = 86_400
"""Seconds that panels of present state look back; a bucket that keeps less shows them empty."""
_WRITTEN: Final = 204
_OK: Final = 200
_UNAUTHORIZED: Final = 401
_NOT_FOUND: Final = 404
_DAY: Final = 86_400
_MAKES: Final = "`manometer tokens` makes one for each"


class Store(msgspec.Struct, frozen=True, kw_only=True):
    """Where the archive is, and the tokens to look with; at least one of them."""

    url: str
    org: str
    bucket: str
    writes: str | None
    """The archiver's token."""
    reads: str | None
    """Grafana's token."""


def influxdb_lines(store: Store, clock: Clock) -> Iterator[Line]:
    """Look at everything; what cannot be looked at because of something before it is left out."""
    try:
        server = Server(store.url)
        began = clock.now()
        health = server.ask("GET", "/health")
        between = (began + clock.now()) / 2 / SECOND
        if health.object.get("name") != "influxdb":
            yield Line(
                "influxdb", False, f"{store.url} answers {health.said}", "check --influxdb: that is no InfluxDB 2"
            )
            return
        yield _reachable(store, health)
        yield _clock(health, between)
        yield from _Look(store, clock).lines()
    except NoAnswer as error:
        yield Line("influxdb", False, f"{store.url}: {error}", "start InfluxDB, or check --influxdb")


def _reachable(store: Store, health: Answer) -> Line:
    if health.status != _OK or health.object.get("status") != "pass":
        return Line("influxdb", False, f"{store.url}: it is not ready: {health.said}", "see what InfluxDB logs")
    return Line("influxdb", True, f"{health.headers.get('x-influxdb-version') or 'it'} at {store.url}")


def _clock(answer: Answer, now: float) -> Line:
    """Compare clocks: panels ask up to the server's now, and it judges by it what is too old to keep."""
    told = answer.time
    if told is None:
        return Line("influxdb clock", True, "it does not tell the time")
    ahead = told + 0.5 - now
    if abs(ahead) <= SKEW:
        return Line("influxdb clock", True, f"within {SKEW:.0f} s of this machine's clock")
    words = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} this machine's clock"
    return Line("influxdb clock", False, words, "let NTP set the clocks of both machines")


class _Token:
    """One token, and what it may do."""

    def __init__(self, store: Store, text: str) -> None:
        self._server = Server(store.url, {"Authorization": f"Token {text}"})
        self._place = urlencode({"org": store.org, "bucket": store.bucket})
        self._bucket = store.bucket

    def write(self, mark: str, micros: int) -> Answer:
        """Write one point."""
        line = f"{NAME},check={mark} value=1 {micros * 1_000}".encode()
        return self._server.ask("POST", f"/api/v2/write?{self._place}&precision=ns", line, Content_Type="text/plain")

    def take_away(self, mark: str, micros: int) -> bool:
        """Delete that point; says whether the server did."""
        around = {"start": _text(micros - SECOND), "stop": _text(micros + SECOND)}
        asked = msgspec.json.encode({**around, "predicate": f'_measurement="{NAME}" AND "check"="{mark}"'})
        path = f"/api/v2/delete?{self._place}"
        return self._server.ask("POST", path, asked, Content_Type="application/json").status == _WRITTEN

    def read(self, mark: str) -> bool:
        """Say whether the point comes back."""
        query = f"SELECT value FROM {NAME} WHERE \"check\" = '{mark}'"  # noqa: S608 - both are ours
        return bool(self._query(query).get("series"))

    def reads(self) -> Answer | str | None:
        """Give what is against reading the bucket; None where it may be read."""
        asked = {"db": self._bucket, "q": f"SELECT value FROM {NAME} LIMIT 1"}  # noqa: S608 - ours
        answer = self._server.ask("GET", f"/query?{urlencode(asked)}")
        if answer.status != _OK:
            return answer
        error = _result(answer).get("error")
        return None if error is None else str(error)

    def buckets(self) -> dict[str, dict[str, Any]]:
        """Give the buckets that it sees, which are those that it may read; the server's own are left out."""
        found = self._server.ask("GET", "/api/v2/buckets?limit=100").object.get("buckets") or ()
        return {str(one["name"]): one for one in found if one.get("type") != "system"}

    def tokens(self) -> bool:
        """Say whether it sees tokens, which are as good as all rights."""
        return bool(self._server.ask("GET", "/api/v2/authorizations").object.get("authorizations"))

    def _query(self, query: str) -> dict[str, Any]:
        return _result(self._server.ask("GET", f"/query?{urlencode({'db': self._bucket, 'q': query})}"))


class _Look:
    """One look at a bucket, with the tokens that there are."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._place = f"bucket {store.bucket} of organisation {store.org}"
        self._now = clock.now()
        self._mark = secrets.token_hex(8)
        self._writer = None if store.writes is None else _Token(store, store.writes)
        self._reader = None if store.reads is None else _Token(store, store.reads)

    def lines(self) -> Iterator[Line]:
        """Look."""
        wrote = None if self._writer is None else self._writer.write(self._mark, self._now)
        refused = None if self._reader is None else self._reader.reads()
        if wrote is not None and wrote.status == _NOT_FOUND:
            yield Line(
                "bucket", False, f"there is no {self._place}", "make it with `manometer tokens`, or check --bucket"
            )
        else:
            yield from self._bucket(wrote, may_read=self._reader is not None and refused is None)
        if self._writer is not None and wrote is not None:
            yield self._of_writer(self._writer, wrote)
        if self._reader is not None:
            yield self._of_reader(self._reader, refused)
        if self._writer is not None and wrote is not None and wrote.status == _WRITTEN:
            yield self._back(self._writer, self._reader if refused is None else None)

    def _bucket(self, wrote: Answer | None, *, may_read: bool) -> Iterator[Line]:
        """Say how long it keeps what is written, where a token sees that."""
        if not may_read or self._reader is None:
            if wrote is not None and wrote.status == _WRITTEN:
                yield Line(
                    "bucket", True, f"{self._store.bucket} is there; how long it keeps points, a token that reads sees"
                )
            return
        rules = self._reader.buckets().get(self._store.bucket, {}).get("retentionRules") or ()
        keeps = min((int(rule.get("everySeconds") or 0) for rule in rules), default=0)
        told = f"{self._store.bucket} keeps points {_duration(keeps)}"
        short = 0 < keeps < LOOKS_BACK
        fix = "panels of present state look back 24h: `manometer tokens --keep 90d` changes it" if short else ""
        yield Line("bucket", not short, told, fix)

    def _of_writer(self, token: _Token, wrote: Answer) -> Line:
        """Say what the archiver's token may do: write, and nothing else."""
        what = "token that writes"
        if wrote.status == _UNAUTHORIZED:
            return Line(what, False, "InfluxDB does not know it", f"check --write-token-file; {_MAKES}")
        if wrote.status != _WRITTEN:
            return Line(what, False, f"may not write {self._place}: {wrote.said}", f"{_MAKES}; check --org as well")
        more = [f"read bucket {name}" for name in token.buckets()] + ["see tokens"] * token.tokens()
        if more:
            return Line(what, False, f"may write, but also {', '.join(more)}", f"let the archiver only write: {_MAKES}")
        return Line(what, True, f"may write bucket {self._store.bucket}, and read nothing")

    def _of_reader(self, token: _Token, refused: Answer | str | None) -> Line:
        """Say what Grafana's token may do: read one bucket, and nothing else."""
        what = "token that reads"
        if isinstance(refused, Answer) and refused.status == _UNAUTHORIZED:
            return Line(what, False, "InfluxDB does not know it", f"check --read-token-file; {_MAKES}")
        if refused is not None:
            said = refused.said if isinstance(refused, Answer) else refused
            return Line(
                what, False, f"may not read bucket {self._store.bucket}: {said}", f"{_MAKES}; check --bucket as well"
            )
        mark = f"{self._mark}-reader"
        writes = token.write(mark, self._now).status == _WRITTEN
        if writes:
            token.take_away(mark, self._now)
        more = [f"read bucket {name}" for name in token.buckets() if name != self._store.bucket]
        more += ["write"] * writes + ["see tokens"] * token.tokens()
        if more:
            return Line(
                what, False, f"may read, but also {', '.join(more)}", f"let Grafana only read one bucket: {_MAKES}"
            )
        return Line(what, True, f"may read bucket {self._store.bucket}, and write nothing")

    def _back(self, writer: _Token, reader: _Token | None) -> Line:
        """Read what was written, and take it away."""
        came = None if reader is None else reader.read(self._mark)
        gone = writer.take_away(self._mark, self._now)
        stays = "" if gone else f"; it stays, in {NAME}, and does no harm"
        what = "write and read back"
        if came is None:
            return Line(what, True, f"a point was written; no token read it{stays or ', and it was taken away'}")
        if not came:
            fix = "check that the two tokens, and Grafana's data source, mean the same bucket: data base = bucket"
            return Line(what, False, f"a point was written, but did not come back{stays}", fix)
        return Line(what, True, f"a point was written and came back{stays or ', and it was taken away'}")


def _result(answer: Answer) -> dict[str, Any]:
    results = answer.object.get("results") or [{}]
    return dict(results[0]) if isinstance(results[0], dict) else {}


def _text(micros: int) -> str:
    return datetime.fromtimestamp(micros / SECOND, UTC).isoformat().replace("+00:00", "Z")


def _duration(seconds: int) -> str:
    if not seconds:
        return "for ever"
    return f"for {seconds // _DAY}d" if seconds % _DAY == 0 else f"for {seconds / 3_600:g}h"
