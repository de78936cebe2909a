"""Reads InfluxDB for the board: InfluxQL over HTTP, which versions 1, 2 and 3 answer."""

from __future__ import annotations

import time
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from http.client import HTTPException
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

import msgspec

from grafana.alert_queries import FIELDS
from grafana.filling import Blanks
from grafana.queries import Choices, Query
from manometer.board.reading import (
    LONGEST,
    MOST_CHOICES,
    MOST_LINES,
    MOST_ROWS,
    Line,
    Lines,
    Lists,
    Numbers,
    Table,
    TooMuch,
    Unreadable,
    check_points,
    groups_of,
    interval_of,
)

_LARGEST: Final = 64 * 1024 * 1024
"""Bytes of one answer."""
_AT_ONCE: Final = 256 * 1024
_SHOWN: Final = 300
_MILLISECOND: Final = 1_000_000
_ALERTS: Final = "alerts"
_RECENT: Final = (" AND time > now() - 1h", "")
"""Where the newest point is looked for: lately, which is fast, and then everywhere."""
_NEWEST: Final = """SELECT last("value") FROM /.*/ WHERE "workflow" != 'manometer'"""
_REFUSED: Final = frozenset({401, 403})
_NO_BUCKET: Final = ("database not found", "default retention policy not set")


class _Series(msgspec.Struct):
    columns: list[str]
    values: list[list[Any]]
    name: str = ""
    tags: dict[str, str] = {}


class _Result(msgspec.Struct):
    series: list[_Series] = []
    error: str | None = None


class _Answer(msgspec.Struct):
    results: list[_Result]


class InfluxReader:
    """Reads one bucket of one server; see `manometer.board.reading.Reader`."""

    def __init__(self, url: str, *, bucket: str, token: str, longest: float = LONGEST) -> None:
        """Take the address; nothing is asked yet.

        Args:
            url: the server, http or https; proxies and redirects are not followed.
            bucket: the bucket's name; of InfluxDB 1 the database.
            token: may read the bucket; needs no other right.
            longest: seconds that one answer may take.
        """
        self._url = url.rstrip("/")
        self._shown = urlsplit(url).netloc
        self._bucket = bucket
        self._token = token
        self._longest = longest
        self._opener: OpenerDirector = build_opener(ProxyHandler({}), _NoRedirects())
        self._decoder = msgspec.json.Decoder(_Answer)

    def lines(self, asked: Numbers, blanks: Blanks, *, envelope: bool = False) -> Lines:
        """Answer with lines."""
        check_points(asked, blanks)
        groups = groups_of(asked)
        if not isinstance(asked, Query):
            found = _plain(groups, self._ask(blanks.fill(asked.influxql())))
        elif asked.top is None:
            envelope = envelope and asked.has_envelope
            found = _plain(groups, self._ask(blanks.fill(asked.influxql(envelope=envelope))))
        else:
            found = _largest(groups, self._ask(blanks.fill(asked.influxql())))
        lines = list(found)
        if not (isinstance(asked, Query) and asked.top):
            lines.sort(key=lambda line: tuple(line.tags.values()))
        if interval_of(asked, blanks) is None and not _has_own_time(asked):
            lines = [msgspec.structs.replace(line, times=(blanks.end,)) for line in lines]
        return Lines(lines[:MOST_LINES], len(lines))

    def table(self, asked: Lists, blanks: Blanks) -> Table:
        """Answer with a table."""
        tags = [number for number, column in enumerate(asked.columns, 1) if column not in FIELDS]
        rows = [row for series in self._ask(blanks.fill(asked.influxql())) for row in series.values]
        for row in rows:
            for number in tags:
                row[number] = row[number] or None  # a tag that is not there may come as empty text
        rows.sort(key=lambda row: (-row[0], [(value is not None, value) for value in row[1:]]))
        return Table(("time", *asked.columns), [(row[0] // _MILLISECOND, *row[1:]) for row in rows[:MOST_ROWS]])

    def choices(self, asked: Choices, blanks: Blanks) -> list[str]:
        """Give the values of a tag, in order."""
        found = self._ask(blanks.fill(asked.influxql()))
        return sorted({value for series in found for _, value in series.values})[:MOST_CHOICES]

    def newest(self) -> int | None:
        """Give the time of the newest point of any workflow but Manometer's own, in milliseconds."""
        for recent in _RECENT:
            times = [
                row[0] for series in self._ask(_NEWEST + recent) if series.name != _ALERTS for row in series.values
            ]
            if times:
                return int(max(times)) // _MILLISECOND
        return None

    def version(self) -> Hashable:
        """Give a number that is another one each second: the server does not tell when something was written."""
        return int(time.monotonic())

    def ends(self, metrics: Collection[str]) -> None:
        """Give none: the server looks for the newest point of a series as long as for all that a tick shows of it."""

    def close(self) -> None:
        """Let go of nothing: each question has a connection of its own."""

    def _ask(self, query: str) -> list[_Series]:
        """Ask in InfluxQL; times of the answer are nanoseconds.

        Raises:
            TooMuch: it takes too long, or the answer is too large.
            Unreadable: no answer, or none that can be used.
        """
        form = urlencode({"db": self._bucket, "q": query, "epoch": "ns"}).encode()
        headers = {"Authorization": f"Token {self._token}", "Accept": "application/json"}
        request = Request(f"{self._url}/query", form, headers, method="POST")  # noqa: S310 - http or https, see opening
        until = time.monotonic() + self._longest
        try:
            with self._opener.open(request, timeout=self._longest) as answer:
                result = self._decoder.decode(b"".join(self._read(answer, until))).results[0]
        except HTTPError as error:
            with error:
                raise Unreadable(self._told(error)) from error
        except TimeoutError:
            raise self._late() from None
        except (URLError, OSError) as error:
            reason = error.reason if isinstance(error, URLError) else error
            if isinstance(reason, TimeoutError):
                raise self._late() from None
            raise Unreadable(f"{self._shown}: no answer: {reason}; is InfluxDB running there?") from error
        except (HTTPException, msgspec.DecodeError, IndexError) as error:
            raise Unreadable(f"{self._shown}: expected InfluxDB, got another answer; check the URL") from error
        if result.error is not None:
            raise Unreadable(self._advised(result.error))
        return result.series

    def _read(self, answer: Any, until: float) -> Iterator[bytes]:
        size = 0
        while part := answer.read1(_AT_ONCE):
            size += len(part)
            if size > _LARGEST:
                raise TooMuch(f"an answer over {_LARGEST} bytes: take a longer interval, or choose fewer series")
            if time.monotonic() > until:
                raise TimeoutError
            yield part

    def _late(self) -> TooMuch:
        advice = "take a shorter time, or choose fewer series"
        return TooMuch(f"{self._shown} took longer than {self._longest:g} s: {advice}")

    def _advised(self, said: str) -> str:
        if said.startswith(_NO_BUCKET):
            advice = (
                f"there is no bucket {self._bucket} that the token may read; make it, or check bucket and token-file"
            )
        else:
            advice = "check that the URL is that of an InfluxDB that knows InfluxQL"
        return f"{self._shown}: {_one_line(said)}: {advice}"

    def _told(self, error: HTTPError) -> str:
        said = _one_line(error.read(_SHOWN).decode("utf-8", "replace"))
        if error.code in _REFUSED:
            return f"{self._shown} answers {error.code}: it does not take the token; check token-file"
        return f"{self._shown} answers {error.code} ({said}): check that the URL is that of an InfluxDB"


class _NoRedirects(HTTPRedirectHandler):
    """Follows nowhere: another server would get the token."""

    def redirect_request(self, *_: Any) -> None:
        """Refuse."""


def _plain(groups: Sequence[str], found: Iterable[_Series]) -> Iterator[Line]:
    for series in found:
        times, *numbers = zip(*series.values, strict=True)
        values, *bounds = (tuple(map(float, column)) for column in numbers)
        low, high = bounds or (None, None)
        tags = {group: series.tags.get(group, "") for group in groups}
        yield Line(tags, tuple(time // _MILLISECOND for time in times), values, low, high)


def _largest(groups: Sequence[str], found: Iterable[_Series]) -> Iterator[Line]:
    """Give the lines of a `top`, which come in one series, the oldest first: here the largest first."""
    for series in found:
        rows = [(-row[1], row[0], _tags(series.columns, row, groups)) for row in series.values]
        for value, stamp, tags in sorted(rows, key=lambda row: (row[0], row[1], sorted(row[2].items()))):
            yield Line(tags, (stamp // _MILLISECOND,), (float(-value),))


def _tags(columns: Sequence[str], found: Sequence[Any], groups: Sequence[str]) -> Mapping[str, str]:
    by_name = dict(zip(columns, found, strict=True))
    return {group: by_name.get(group) or "" for group in groups}


def _has_own_time(asked: Numbers) -> bool:
    return isinstance(asked, Query) and asked.aggregate == "last" and asked.across is None


def _one_line(text: str) -> str:
    """Keep what can stand in a sentence."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text[:_SHOWN]).split())
