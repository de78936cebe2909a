"""Tells in the log that a sink is in trouble: once when it begins, once when it is over, and not at each try."""

from __future__ import annotations

import logging
from typing import Final

_LOG: Final = logging.getLogger("manometer.archive")


class Trouble:
    """What one sink was last told to suffer from; used by one thread."""

    def __init__(self, name: str) -> None:
        """Begin without any."""
        self._name = name
        self._told: str | None = None

    def begins(self, sentence: str, kind: str | None = None) -> None:
        """Tell it, unless it was told already.

        Args:
            sentence: what is wrong, and what to do.
            kind: what is the same at each try, where the sentence is not.
        """
        kind = kind or sentence
        if self._told != kind:
            self._told = kind
            _LOG.warning("sink %s: %s; it is tried again, and nothing is lost meanwhile", self._name, sentence)

    def ends(self) -> None:
        """Tell that it is over, where it was told that it began; a warning too, so that both are seen or none."""
        if self._told is not None:
            self._told = None
            _LOG.warning("sink %s: it is well again", self._name)
