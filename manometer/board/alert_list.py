"""What fires, or what changed, with the evidence, when it began and ended, and how to see it again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from grafana.alert_queries import Changes, Firing
from grafana.filling import Blanks
from grafana.queries import Where
from manometer.board.asking import MOST_ALERTS, Chosen, Given, check_names, chosen_among, one, span_of, whole
from manometer.board.describing import Boards
from manometer.board.reading import Lists, Reader
from manometer.board.replaying import Replays
from manometer.intake.access import Denied

FILTERS: Final = ("workflow", "model", "engine", "alert", "severity")
_FIELDS: Final = ("severity", "alert", "value", "summary", "runbook", "evidence")
_OF_ALL: Final = ("workflow", "monitor", "model", "engine")
_BEFORE: Final = 30 * 86_400_000
"""Milliseconds before the time asked for in which the beginnings of alerts are looked for."""
_WANTED: Final = 100

Identity = tuple[tuple[str, str], ...]


class AlertsAsked(msgspec.Struct, frozen=True):
    """Which alerts are wanted. Times are milliseconds."""

    start: int
    end: int
    now: int
    """To a second, so that many who ask share an answer."""
    firing: bool
    """Those that fire at the end; else all changes in the time."""
    chosen: Chosen
    limit: int


class ListedAlert(msgspec.Struct, frozen=True, kw_only=True):
    """One alert that fires, or one change of an alert."""

    time: int
    state: str
    name: str
    severity: str | None
    value: float | None
    summary: str | None
    runbook: str | None
    tags: Mapping[str, str]
    evidence: Any
    replay: str | None
    began: int | None
    ended: int | None


def alert_list_of(boards: Boards, given: Given, now: int) -> AlertsAsked:
    """Read which alerts are wanted.

    Raises:
        Denied: it makes no sense, or is over a limit.
    """
    check_names(boards, given, {"from", "to", "state", "limit", *FILTERS})
    state = one(given, "state", "all")
    if state not in {"firing", "all"}:
        raise Denied(400, "state", f"expected state=firing or state=all, got {state[:20]!r}")
    start, end = span_of(given)
    limit = whole(given, "limit", 1, MOST_ALERTS, default=_WANTED)
    chosen = chosen_among(FILTERS, given)
    return AlertsAsked(start, end, now // 1_000 * 1_000, state == "firing", chosen, limit)


class AlertList:
    """Asks a reader about alerts."""

    def __init__(self, reader: Reader, replays: Replays, tags: Sequence[str] = ()) -> None:
        """Take whom to ask, and names of tags that alerts may have beside those that all may have."""
        self._reader = reader
        self._replays = replays
        self._tags = tuple(dict.fromkeys((*_OF_ALL, *tags)))

    def answer(self, asked: AlertsAsked) -> list[ListedAlert]:
        """Give the alerts, the newest first. Blocks.

        Raises:
            TooMuch: it is over a limit of the reader.
            Unreadable: the store cannot be read.
        """
        where = tuple(Where(name) for name, _ in asked.chosen)
        columns = (*_FIELDS, *self._tags)
        wanted: Lists = Firing(where=where, columns=columns)
        if not asked.firing:
            wanted = Changes(where=where, columns=("state", *columns))
        found = self._records(wanted, asked, asked.start, asked.end)[: asked.limit]
        spans = self._spans(where, asked) if found else Spans(())
        return [self._listed(record, spans) for record in found]

    def _records(self, wanted: Lists, asked: AlertsAsked, start: int, end: int) -> list[dict[str, Any]]:
        blanks = Blanks(start=max(0, start), end=end, interval=1, chosen=dict(asked.chosen))
        table = self._reader.table(wanted, blanks)
        return [dict(zip(table.columns, record, strict=True)) for record in table.rows]

    def _spans(self, where: tuple[Where, ...], asked: AlertsAsked) -> Spans:
        """Find when alerts began and ended, also outside of the time asked for."""
        changes = Changes(where=where, columns=("state", "alert", *self._tags))
        found = self._records(changes, asked, asked.start - _BEFORE, asked.end)
        if asked.end < asked.now:
            found += self._records(changes, asked, asked.end, asked.now)
        return Spans((self._identity(record), record["time"], record["state"] == "firing") for record in found)

    def _identity(self, record: Mapping[str, Any]) -> Identity:
        return (("alert", record["alert"]), *((tag, record[tag]) for tag in self._tags if record.get(tag)))

    def _listed(self, record: Mapping[str, Any], spans: Spans) -> ListedAlert:
        state = record.get("state", "firing")
        began, ended = spans.around(self._identity(record), record["time"], firing=state == "firing")
        tags = dict(self._identity(record)[1:])
        changed = record["time"] if "state" in record else began
        return ListedAlert(
            time=record["time"],
            state=state,
            name=record["alert"],
            severity=record["severity"],
            value=record["value"],
            summary=record["summary"],
            runbook=record["runbook"],
            tags=tags,
            evidence=_decoded(record["evidence"]),
            replay=None if changed is None else self._replays.command(tags, record["alert"], changed),
            began=began,
            ended=ended,
        )


class Spans:
    """When each alert began and ended to fire."""

    def __init__(self, changes: Iterable[tuple[Identity, int, bool]]) -> None:
        """Take changes in any order: which alert, when, and whether it began."""
        self._changes: dict[Identity, list[tuple[int, bool]]] = {}
        for identity, time, firing in sorted(set(changes), key=lambda change: (change[1], change[2])):
            self._changes.setdefault(identity, []).append((time, firing))

    def around(self, identity: Identity, time: int, *, firing: bool) -> tuple[int | None, int | None]:
        """Give when an alert that fires at a time (or ends then) began, and when it ended; None where nothing tells.

        >>> spans = Spans([((("alert", "A"),), 5, True), ((("alert", "A"),), 9, False)])
        >>> spans.around((("alert", "A"),), 7, firing=True), spans.around((("alert", "A"),), 9, firing=False)
        ((5, 9), (5, 9))
        """
        changes = self._changes.get(identity, [])
        began = max((at for at, begins in changes if begins and (at <= time if firing else at < time)), default=None)
        if not firing:
            return began, time
        return began, min((at for at, begins in changes if not begins and at > time), default=None)


def _decoded(evidence: str | None) -> Any:
    if not evidence:
        return {}
    try:
        return msgspec.json.decode(evidence)
    except msgspec.DecodeError:
        return {"text": evidence}
