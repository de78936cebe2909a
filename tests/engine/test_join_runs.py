"""Joined streams in a run: rejects, retries, bounds, what is saved, partitions, several monitors."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from engine.checks import ContractBroken, check_monitor
from engine.events import Emission, Message, Pair
from engine.memory import Memory
from engine.monitor import Monitor
from engine.testing import END, At, feed, plan_of
from engine.times import SECOND
from tests.engine.pairing import PAIR, Plain, Shows, after, left, plan, right, shown


def test_without_a_key_it_is_a_reject() -> None:
    """A record that lacks the key's field cannot meet anything: a reject of the monitor, reason schema."""
    fed, memory = after([left(0, None), (1, "left", {"other": 1}), right(0, "a")])

    assert fed.reasons() == [(0, "schema", "shows"), (1, "schema", "shows")]
    assert memory.pipelines[0].counts.undecodable == 2


def test_a_pair_that_fails_is_a_reject_of_both_halves() -> None:
    """What the monitor raises on becomes a reject of both messages, and nothing of it is emitted."""
    fed, _ = after([left(0, "a"), right(1, "a", fails=True), left(0, "b"), right(1, "b"), At(60)])

    assert shown(fed.emissions) == [(1, "b", "left1", "right1")]
    assert [(one.message.topic, one.message.offset, one.reason, one.monitor) for one in fed.rejects] == [
        ("left", 0, "monitor", "shows"),
        ("right", 0, "monitor", "shows"),
    ]


def test_what_failed_can_be_sent_again() -> None:
    """Halves that are sent again after their pair failed meet, though the first ones have gone out."""
    table = [left(0, "a", fails=True), right(1, "a"), At(20)]
    fed, memory = after(table)
    headers = (("retry-of", b"left/0/0"), ("retry-monitor", b"shows"))
    again = [
        Message(side, 0, 1, SECOND, None, b'{"id": "a"}', headers)
        for side in ("left", "right")
    ]  # fmt: skip
    for message in again:
        fed.take(memory.apply(message.topic, [message]))
    fed.take(memory.end())

    assert shown(fed.emissions) == [(10, "a", "left1!", "right1!")]


def test_a_retry_of_another_monitor_is_not_ours() -> None:
    """A message that is sent again for one monitor is ignored by the joins of others."""
    _, memory = after([left(0, "x")])
    message = Message("left", 0, 1, SECOND, None, b'{"id": "a"}', (("retry-monitor", b"other"),))
    memory.apply("left", [message])

    assert memory.pipelines[0].counts.ignored == 1


def test_too_many_waiting_halves_let_the_oldest_go() -> None:
    """Over `pending` the oldest half leaves, is counted, and the alert fires; complete pairs do not count."""
    table = [left(n, f"k{n}") for n in range(6)]
    table += [right(n, f"k{n}") for n in range(6)]
    fed, memory = after([*table, END], plan(pending=3))

    assert memory.pipelines[0].counts.halves_dropped == 6
    assert shown(fed.emissions) == [(n, f"k{n}", f"left{n}", f"right{n}") for n in (3, 4, 5)]
    assert fed.alerts("PendingLimitReached", monitor="shows") == [(0, "firing")]


def test_waiting_halves_are_saved_one_record_each() -> None:
    """A checkpoint writes what is new: a record a half, and forgets it when it can tell no duplicate any more."""
    whole = plan()
    _, memory = after([left(0, "a"), left(1, "b"), right(2, "b")], whole)
    first = {name: data for _, name, data in memory.snapshot() if b'"half"' in name}
    memory.apply("right", [Message("right", 0, 1, 3 * SECOND, None, b'{"id": "c"}')])
    second = [name for _, name, _ in memory.snapshot() if b'"half"' in name]
    memory.move("left", 100 * SECOND)
    memory.move("right", 100 * SECOND)
    third = {name: data for _, name, data in memory.snapshot() if b'"half"' in name}

    assert (len(first), len(second)) == (3, 1)
    assert set(third.values()) == {None}
    assert set(third) == {*first, *second}


def test_a_change_of_wait_keeps_what_waits() -> None:
    """Halves are saved under the name of their monitor, so that another `wait` applies to those that wait already."""
    _, memory = after([left(0, "a"), right(0, "x")], plan(wait=5))
    saved = list(memory.snapshot())
    other = Memory(plan(wait=60))
    other.restore(saved)

    emissions = other.apply("right", [Message("right", 0, 1, 50 * SECOND, None, b'{"id": "a"}')]).emissions
    emissions += other.end().emissions

    assert shown(emissions) == [(50, "a", "left0", "right1")]


def test_halves_of_a_monitor_that_is_gone_are_forgotten() -> None:
    """What a monitor that left the workflow had waiting is removed from the saved states."""
    _, memory = after([left(0, "a"), right(0, "x")])
    saved = list(memory.snapshot())
    other = Memory(plan_of(Plain()))
    other.restore(saved)

    forgotten = [name for _, name, data in other.snapshot() if data is None]

    assert len([name for name in forgotten if b'"half"' in name]) == 2


def test_a_half_that_no_longer_decodes_is_told() -> None:
    """A saved half whose bytes mean nothing any more is forgotten and counted: alert StateReset."""
    _, memory = after([left(0, "a"), right(0, "x")])
    saved = [(n, name, b"\xc1" if b'"half","shows","left"' in name else data) for n, name, data in memory.snapshot()]
    other = Memory(plan())
    other.restore(saved)

    emissions = other.end().emissions

    assert [item.name for item in emissions if item.name == "StateReset"] == ["StateReset"]
    assert other.pipelines[0].counts.states_reset == 1


def test_each_partition_is_a_series_of_its_own() -> None:
    """Where joined streams have several partitions, what is emitted has the partition as a tag."""
    memory = Memory(plan(), {"left": 2})
    emissions = []
    for number in (0, 1):
        for side in Shows.inputs:
            message = Message(side, number, 0, SECOND, b"a", b'{"id": "a"}')
            emissions += memory.apply(side, [message]).emissions
    emissions += memory.end().emissions

    assert [item.tags["partition"] for item in emissions if item.name == "pair_seen"] == ["0", "1"]


def test_monitors_of_one_group_do_not_share() -> None:
    """Two monitors on the same streams, in other roles and with another `wait`, get each their own pairs."""
    swapped = Shows(Shows.Options(wait=1))
    first, second = plan_of(Shows(Shows.Options(wait=20)), swapped).monitors
    second = msgspec.structs.replace(second, sources={"left": "right", "right": "left"}, wait=SECOND)
    whole = msgspec.structs.replace(plan(), monitors=(first, second))
    fed = feed(whole, [left(0, "a"), right(5, "a"), At(60)])

    found = [item for item in fed.emissions if item.name == "pair_seen"]
    assert [(item.time / SECOND, item.tags["monitor"], item.tags["first"], item.tags["second"]) for item in found] == [
        (1, "shows_2", "-", "right0"),
        (5, "shows", "left0", "right0"),
        (6, "shows_2", "left0", "-"),
    ]


def test_stream_time_and_what_is_due() -> None:
    """The time of the group is the smaller of the two, and a pair is due once it is `lateness` past it."""
    _, memory = after([left(0, "a"), right(1, "a"), left(7, "x")])
    pipeline = memory.pipelines[0]

    assert pipeline.now == SECOND
    assert pipeline.due() == 11 * SECOND + 1


def test_only_what_it_reads_is_joined() -> None:
    """A record of a kind that the monitor does not read is ignored."""
    monitor: Monitor = Plain()
    monitor.reads = list
    _, memory = after([left(0, "a"), right(0, "a")], plan_of(monitor))

    assert memory.pipelines[0].counts.ignored == 2


def test_the_contract_suite_calls_with_pairs() -> None:
    """`check_monitor` makes pairs for a monitor with two inputs, and sees one that changes its state too early."""
    check_monitor(Shows(Shows.Options()))

    with pytest.raises(ContractBroken, match="change the state last"):
        check_monitor(Hasty(Shows.Options()))


class Hasty(Shows):
    """Counts a pair before it looks at it."""

    def on_record(self, record: Pair, state: Shows.State) -> Sequence[Emission]:
        """Count, then read a field that may be missing."""
        state.pairs += 1
        halves = [half for half in (record.first, record.second) if half is not None]
        return (PAIR.at(record.time, float(sum(half.value["value"] + 1 for half in halves))),)
