"""One panel of a view: when it has to be asked again, and what has changed then."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from grafana.panels import metrics_of
from manometer.board.answering import NUMBERS, Asker
from manometer.board.asking import Frame
from manometer.board.reading import TooMuch
from manometer.board.shown import Shown

AGAIN: Final = 60.0
"""Seconds after which a panel that took too long is asked again."""
STILL: Final = 5_000
"""Milliseconds after which a number is asked again though nothing is new: it tells of a time that moves on."""


class Part:
    """Remembers of a panel what viewers see of it, and from when on there is news."""

    def __init__(self, asker: Asker) -> None:
        """Begin with nothing shown."""
        self.metrics = frozenset(metric for asked in asker.panel.asks for metric in metrics_of(asked))
        """What it shows; alerts are no metrics."""
        self._asker = asker
        self._shown = Shown()
        self._since: int | None = None
        self._asked = 0
        self._not_before = 0.0
        self._cost = 0.0

    def learn(self, news: Mapping[str, int] | None, tail: int) -> None:
        """Learn which metrics have new points after which times; None: any may have, after the other time given."""
        if news is None or not self.metrics:
            found = [tail]
        else:
            found = [news[metric] for metric in self.metrics if metric in news]
        if self._since is not None:
            found.append(self._since)
        self._since = min(found, default=None)

    def change(self, frame: Frame, *, complete: bool) -> bytes | None:
        """Ask, where there may be something new; give what has changed, as JSON.

        Raises:
            Unreadable: the store cannot be read.
        """
        until, self._cost = self._asker.whole_until(frame), 0.0
        if time.monotonic() < self._not_before or not (complete or self._may_differ(frame.end, until)):
            return None
        since = frame.start if complete or self._since is None else self._since
        begun = time.thread_time()
        try:
            answer = self._asker.answer(replace(frame, since=since))
        except TooMuch:
            self._not_before = time.monotonic() + AGAIN
            return None
        finally:
            self._cost = time.thread_time() - begun
        self._since, self._asked = until, frame.end
        return self._shown.change(answer, frame.start - (answer.interval or 0) * 1_000, learn=complete)

    def spare(self, times: float) -> None:
        """Ask no more for so many times as long as it took the last time: a dear panel rests, the others stay live."""
        self._not_before = max(self._not_before, time.monotonic() + self._cost * times)

    def _may_differ(self, now: int, until: int | None) -> bool:
        """Say whether there is news, of intervals that are over where open ones are not shown."""
        if self._asker.panel.kind in NUMBERS and now - self._asked >= STILL:
            return True
        return self._since is not None and (until is None or self._since < until)
