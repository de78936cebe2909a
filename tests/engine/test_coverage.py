from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from engine.coverage import PART_BYTES, Part, covering, uncaused
from engine.events import Alert, Metric, Tags, decode_emissions
from engine.outcome import Outcome

SMALL = Tags({"workflow": "test"})


def outcome_of(causes: list[int], length: int) -> Outcome:
    """Make an outcome with one alert a cause, each so many characters long."""
    outcome = Outcome()
    for number, cause in enumerate(causes):
        outcome.emissions.append(Alert("Wide", number + 1, True, "info", summary="x" * length, tags=SMALL))
        outcome.causes.append(cause)
    return outcome


def in_order(parts: list[Part]) -> list[int]:
    """Name the emissions of parts by their times."""
    return [emission.time for part in parts for emission in decode_emissions(part.data)]


@given(st.lists(st.integers(10, 20), max_size=60).map(sorted), st.sampled_from([10, 30_000, 200_000]))
def test_parts_cover_every_offset_once_and_hold_every_emission(causes: list[int], length: int) -> None:
    """Between parts there is no gap and no overlap, except that parts of one record carry the same offsets."""
    parts = covering(outcome_of(causes, length), "group", "topic", (10, 20))

    assert in_order(parts) == list(range(1, len(causes) + 1))
    spans = [(part.first, part.last) for part in parts if part.part == 1]
    assert spans[0][0] == 10
    assert spans[-1][1] == 20
    assert all(before[1] is not None and after[0] == before[1] + 1 for before, after in pairwise(spans))
    assert all(len(part.data) <= PART_BYTES for part in parts)


def test_only_one_record_is_split_over_parts() -> None:
    """What one record caused may be too much: its parts tell which of how many they are, and cover nothing else."""
    parts = covering(outcome_of([12] * 40, 30_000), "group", "topic", (10, 20))

    split = [part for part in parts if part.parts > 1]
    assert {(part.first, part.last) for part in split} == {(12, 12)}
    assert [part.part for part in split] == list(range(1, split[0].parts + 1))
    assert [(part.first, part.last) for part in parts if part.parts == 1] == [(10, 11), (13, 20)]


def test_messages_that_emitted_nothing_are_covered() -> None:
    """An empty array tells that they were applied."""
    (part,) = covering(Outcome(), "group", "topic", (3, 7))

    assert (part.first, part.last, part.data) == (3, 7, b"[]")


def test_an_emission_without_a_cause_goes_with_the_first_message() -> None:
    """What restoring has emitted is told with the first message after it."""
    outcome = Outcome()
    outcome.emissions.append(Metric("records_total", 1, 1.0, SMALL))
    outcome.causes.append(None)

    (part,) = covering(outcome, "group", "topic", (3, 3))

    assert in_order([part]) == [1]


def test_what_no_message_caused_covers_nothing() -> None:
    """A tick has emissions and no offsets; without emissions there is no part."""
    outcome = outcome_of([1] * 40, 30_000)

    parts = uncaused(outcome.emissions, "group", "tick")

    assert uncaused([], "group", "tick") == []
    assert {(part.first, part.last, part.cause) for part in parts} == {(None, None, "tick")}
    assert in_order(parts) == list(range(1, 41))
