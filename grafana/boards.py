"""All boards, made from the catalogue: what is declared there is on one of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from grafana.alerts import alerts
from grafana.itself import itself
from grafana.metric_panels import metrics
from grafana.model import model
from grafana.overview import overview
from grafana.panels import Board, Declared

_OWN: Final = "engine"
"""Stands in the catalogue for the engine and what belongs to it."""


def boards(catalogue: Iterable[Declared]) -> tuple[Board, ...]:
    """Make the boards of a catalogue, which holds at least what comes with Manometer."""
    entries = metrics(catalogue)
    own = {name: entry for name, entry in entries.items() if entry.monitors == (_OWN,)}
    watched = {name: entry for name, entry in entries.items() if name not in own}
    return overview(entries), model(watched), alerts(), itself(own)
