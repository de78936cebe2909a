"""States that were lost, because they could not be saved or no longer decode: counted, and told by an alert."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from engine.caller import Caller
from engine.notices import STATE_RESET


def tell_lost(caller: Caller, others: Iterable[str] = ()) -> None:
    """Tell of states lost since the last call; what their series had firing resolves.

    Args:
        caller: of the pipeline.
        others: of what else nothing could be read: names of monitors, or `engines`.
    """
    remembered = caller.remembered
    lost = Counter(others)
    for table in remembered.tables:
        lost[table.name] += len(table.fresh)
        for cell in table.fresh:
            caller.release.close(cell, remembered.now or 0)
        table.fresh = []
    for name, count in sorted((+lost).items()):
        caller.counts.states_reset += count
        caller.notice(STATE_RESET, name, f"{count} states of {name} could not be saved or read and began fresh")
