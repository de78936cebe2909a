"""Alerts of the engine about itself: each fires when something happens, and resolves an hour after the last time."""

from __future__ import annotations

from typing import Final

import msgspec

from engine.catalogue import AlertSpec
from engine.events import Alert, Tags
from engine.series import NEVER
from engine.times import HOUR

SERIES_LIMIT: Final = AlertSpec(
    name="SeriesLimitReached",
    severity="critical",
    help="A monitor refuses new series: it has as many as max_series allows.",
    runbook="series-limit-reached",
    tags=("monitor",),
)
STATE_RESET: Final = AlertSpec(
    name="StateReset",
    severity="warning",
    help="A saved state no longer decodes; its series began fresh.",
    runbook="state-reset",
    tags=("monitor",),
)
RECORDS_MISPLACED: Final = AlertSpec(
    name="RecordsMisplaced",
    severity="critical",
    help="Messages lie on a partition that their key does not belong to; series are split and their numbers wrong.",
    runbook="records-misplaced",
    tags=("stream",),
)
PENDING_LIMIT: Final = AlertSpec(
    name="PendingLimitReached",
    severity="critical",
    help="More records wait for their other half than pending allows; the oldest leave and are not compared.",
    runbook="pending-limit-reached",
    tags=("monitor",),
)
INPUT_LOST: Final = AlertSpec(
    name="InputLost",
    severity="critical",
    help="Messages left their topic because of its retention before they were read; the summary has their offsets.",
    runbook="input-lost",
    tags=("stream",),
)
WORKER_STUCK: Final = AlertSpec(
    name="WorkerStuck",
    severity="critical",
    help="A worker on Kafka had messages to apply, did not get on, and ended; the summary says which.",
    runbook="worker-stuck",
)
OWN_ALERTS: Final = (SERIES_LIMIT, STATE_RESET, RECORDS_MISPLACED, PENDING_LIMIT, INPUT_LOST, WORKER_STUCK)
LASTS: Final = HOUR


class Notice:
    """One alert of the engine and until when it lasts."""

    __slots__ = ("alert", "due", "until")

    def __init__(self, alert: Alert, until: int) -> None:
        """Begin to last."""
        self.alert = alert
        self.until = until
        self.due = NEVER


class SavedNotice(msgspec.Struct, frozen=True, array_like=True):
    """A notice as it is saved."""

    alert: Alert
    until: int


class SavedNotices(msgspec.Struct, frozen=True, array_like=True):
    """All notices of a pipeline as they are saved, with the time of the last alert of each."""

    firing: list[SavedNotice] = []
    last: list[tuple[tuple[str, str], int]] = []


class Notices:
    """The engine's own alerts of one pipeline."""

    def __init__(self, workflow: str, partition: int) -> None:
        """Begin with none firing."""
        self._tags = {"workflow": workflow, "partition": str(partition)}
        self.firing: dict[tuple[str, str], Notice] = {}
        self._last: dict[tuple[str, str], int] = {}

    def set(self, spec: AlertSpec, subject: str, now: int, summary: str) -> Notice | None:
        """Note that it happened again; gives the notice when its alert begins with that."""
        key = (spec.name, subject)
        known = self.firing.get(key)
        if known is not None:
            known.until = max(known.until, now + LASTS)
            return None
        alert = spec.set(self._time(key, now), firing=True, summary=summary)
        alert.tags = Tags({**self._tags, spec.tags[0]: subject})
        self.firing[key] = notice = Notice(alert, now + LASTS)
        return notice

    def end(self, notice: Notice) -> Alert:
        """Resolve an alert whose time has come."""
        alert = notice.alert
        key = self.key(notice)
        del self.firing[key]
        return Alert(
            name=alert.name,
            time=self._time(key, notice.until),
            firing=False,
            severity=alert.severity,
            summary=alert.summary,
            runbook=alert.runbook,
            tags=alert.tags,
        )

    def alerts(self) -> list[Alert]:
        """Give the alerts that fire, in an order that no restart changes."""
        return [notice.alert for _, notice in sorted(self.firing.items(), key=lambda entry: entry[0])]

    def key(self, notice: Notice) -> tuple[str, str]:
        """Name a notice."""
        alert = notice.alert
        subject = next(text for name, text in alert.tags.items() if name not in self._tags)
        return alert.name, subject

    def _time(self, key: tuple[str, str], time: int) -> int:
        self._last[key] = time = max(time, self._last.get(key, -1) + 1)
        return time

    def save(self) -> SavedNotices:
        """Give what has to survive a restart."""
        firing = [SavedNotice(notice.alert, notice.until) for notice in self.firing.values()]
        return SavedNotices(firing, list(self._last.items()))

    def restore(self, saved: SavedNotices) -> None:
        """Take what was saved."""
        self._last = dict(saved.last)
        for item in saved.firing:
            item.alert.tags = Tags(item.alert.tags)
            notice = Notice(item.alert, item.until)
            self.firing[self.key(notice)] = notice
