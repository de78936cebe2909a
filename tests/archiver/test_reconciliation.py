from __future__ import annotations

import random

import pytest

from archiver.reconciliation import Coverage, Covered, Covers, covers_of, missing


def covered(*spans: tuple[int, int]) -> Covered:
    """Give what messages with these offsets cover."""
    coverage = Coverage()
    for first, last in spans:
        coverage.add(Covers("notify", "notify", 0, first, last))
    (found,) = coverage.result()
    return found


def test_messages_that_follow_each_other_cover_without_a_gap() -> None:
    """Offsets 5 to 9, from three messages."""
    found = covered((5, 6), (7, 7), (8, 9))

    assert (found.first, found.last, found.offsets, found.gaps, found.repeats) == (5, 9, 5, (), 0)


def test_a_missing_message_is_a_gap() -> None:
    """7 and 8 are in no message."""
    found = covered((5, 6), (9, 9))

    assert found.gaps == ((7, 8),)
    assert list(missing([found], {})) == ["notify/0: group notify: offsets 7 to 8 are not in the archive"]


def test_what_a_new_owner_writes_again_is_a_repeat() -> None:
    """After a crash 3 to 6 come again, cut in another way: four offsets more than once."""
    found = covered((0, 4), (5, 6), (3, 5), (6, 9))

    assert (found.offsets, found.gaps, found.repeats) == (10, (), 4)


def test_any_order_gives_the_same() -> None:
    """Spans that were shuffled cover the same offsets."""
    chance = random.Random(7)
    spans = [(start, start + chance.randrange(5)) for start in chance.choices(range(100), k=60)]
    shuffled = chance.sample(spans, len(spans))
    offsets = {offset for first, last in spans for offset in range(first, last + 1)}
    gaps = {offset for first, last in covered(*spans).gaps for offset in range(first, last + 1)}

    assert covered(*spans) == covered(*shuffled)
    assert covered(*spans).offsets == len(offsets)
    assert gaps == set(range(min(offsets), max(offsets))) - offsets


def test_parts_of_one_record_cover_only_together() -> None:
    """Two of three parts are no cover; with the third they are, and once."""
    coverage = Coverage()
    coverage.add(Covers("g", "t", 0, 0, 3))
    for part in (1, 3):
        coverage.add(Covers("g", "t", 0, 4, 4, part, 3))
    before = coverage.result()
    coverage.add(Covers("g", "t", 0, 4, 4, 2, 3))

    assert [one.last for one in before] == [3]
    assert [(one.last, one.repeats) for one in coverage.result()] == [(4, 0)]


def test_an_archive_that_ends_before_what_was_saved_is_told() -> None:
    """A worker that saved 12 as the next has archived up to 11."""
    assert list(missing([covered((0, 11))], {("notify", 0): 12})) == []
    assert list(missing([covered((0, 9))], {("notify", 0): 12})) == [
        "notify/0: group notify: the archive ends at offset 9, but 12 was saved as the next"
    ]


def test_many_gaps_are_counted_not_listed() -> None:
    """Of thirty gaps twenty are shown."""
    told = list(missing([covered(*[(n * 2, n * 2) for n in range(31)])], {}))

    assert len(told) == 21
    assert told[-1] == "notify/0: group notify: 10 more gaps"


@pytest.mark.parametrize("headers", [{"first": "1"}, {"first": "x", "part": "1/1", "partition": "0", "last": "1"}])
def test_headers_of_another_kind_are_a_mistake(headers: dict[str, str]) -> None:
    """What nobody can read proves nothing."""
    with pytest.raises(ValueError, match=r"expected a header|invalid literal"):
        covers_of(headers)


def test_a_tick_covers_nothing() -> None:
    """What no message caused has no offsets."""
    assert covers_of({"workflow": "w", "group": "g", "cause": "tick"}) is None
