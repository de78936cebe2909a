"""Any two streams: the pairs are those of the words, in any interleaving, cut anywhere, with ticks between."""

from __future__ import annotations

import random
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from engine.events import Emission, encode_array
from engine.memory import Memory
from engine.testing import plan_of
from engine.times import SECOND
from monitors.threshold import Threshold
from tests.engine.pairing import Event, Shows, expected, message, plan, shown

KEYS = st.sampled_from(["a", "b", "c"])
EVENTS = st.lists(
    st.builds(Event, st.integers(0, 1), st.integers(0, 120), st.one_of(KEYS, KEYS, KEYS, st.none())), max_size=40
)
WAITS = st.sampled_from([0, 1, 5, 20, 60])


def run(events: Sequence[Event], memory: Memory, cut: random.Random | None = None) -> list[Emission]:
    """Apply events one by one; where it is cut, a new process goes on from what was saved."""
    emissions: list[Emission] = []
    saved: dict[tuple[int, bytes], bytes | None] = {}
    offsets = [0, 0]
    for event in events:
        stream = Shows.inputs[event.side]
        if event.key is None:
            emissions += memory.move(stream, event.second * SECOND).emissions
        else:
            emissions += memory.apply(stream, [message(event, offsets[event.side])]).emissions
            offsets[event.side] += 1
        if cut is not None and cut.random() < 0.3:
            saved.update({(number, name): data for number, name, data in memory.snapshot()})
            memory = Memory(memory.plan)
            memory.restore((number, name, data) for (number, name), data in saved.items() if data is not None)
    return emissions + memory.end().emissions


def interleaved(events: Sequence[Event], seed: int) -> list[Event]:
    """Mix the two streams anew; the order in each stays."""
    chance = random.Random(seed)
    sides = [[event for event in events if event.side == side] for side in (0, 1)]
    mixed = []
    while sides[0] or sides[1]:
        side = sides[chance.random() < 0.5]
        take = min(len(side), chance.choice([1, 1, 2, 20]))
        mixed += side[:take]
        del side[:take]
    return mixed


@given(EVENTS, WAITS, st.integers(0, 1_000))
def test_pairs_are_those_of_the_words(events: list[Event], wait: int, seed: int) -> None:
    """Keys, wait, lateness, duplicates and the end give what a plain model of them gives, in its order."""
    emissions = run(interleaved(events, seed), Memory(plan(wait)))

    assert shown(emissions) == expected(events, wait)


@given(EVENTS, WAITS, st.integers(0, 1_000), st.integers(0, 1_000))
def test_interleaving_does_not_matter(events: list[Event], wait: int, one: int, other: int) -> None:
    """Pairs, timers, repeats and a monitor that reads the metrics: the same bytes in any interleaving."""
    readers = Threshold(Threshold.Options.model_validate_json('{"metric": "pair_seen", "above": 0.5, "for": "15s"}'))
    whole = plan_of(Shows(Shows.Options(wait=wait)), readers, repeat=15 * SECOND)

    assert encode_array(run(interleaved(events, one), Memory(whole))) == encode_array(
        run(interleaved(events, other), Memory(whole))
    )


@given(EVENTS, WAITS, st.integers(0, 1_000))
def test_any_cut_gives_the_same(events: list[Event], wait: int, seed: int) -> None:
    """A run that is saved and restored between any two messages emits what an uncut one does."""
    whole = plan(wait, repeat=15 * SECOND)

    cut = run(interleaved(events, seed), Memory(whole), random.Random(seed))

    assert encode_array(cut) == encode_array(run(interleaved(events, seed), Memory(whole)))


@given(EVENTS, WAITS, st.integers(1, 4), st.integers(0, 1_000))
def test_a_bound_survives_any_cut(events: list[Event], wait: int, pending: int, seed: int) -> None:
    """Where too many halves wait, the same ones leave, cut or not, and no pair is made up."""
    whole = plan(wait, pending)

    uncut = run(interleaved(events, seed), Memory(whole))

    assert encode_array(run(interleaved(events, seed), Memory(whole), random.Random(seed))) == encode_array(uncut)
