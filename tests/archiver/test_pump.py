from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from archiver.patience import Pace
from archiver.pump import Log, Pump
from archiver.sink import Broken, Busy, Refused
from archiver.sinks.sqlite import SqliteSink, read_points
from archiver.sinks.webhook import WebhookSink
from engine.embedded.store import Store
from engine.events import Alert, Emission
from tests.archiver.pumping import NOON, TAGS, Kept, archive, eventually, point, raises
from tests.archiver.sinks.receiver import Receiver, hangs, says

HASTE = Pace(first=0.001, longest=0.002, broken=0.001)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Keep an archive in a file."""
    kept = Store(tmp_path / "state")
    yield kept
    kept.close()


@pytest.fixture
def pumps() -> Iterator[Callable[[Pump], Pump]]:
    """Start pumps, and end them after the test."""
    with ExitStack() as ending:

        def started(pump: Pump) -> Pump:
            pump.start()
            ending.callback(pump.close, 5)
            return pump

        yield started


def test_the_archive_is_written_in_order_and_then_its_position_is_saved(
    store: Store, pumps: Callable[[Pump], Pump]
) -> None:
    """What is there is written in calls of so many parts, what comes later when it comes; parts may be empty."""
    archive(store, [point(0), point(1)], [], [point(2)], [point(3)])
    sink = Kept()
    pump = pumps(Pump("kept", sink, store, limit=3))
    eventually(lambda: store.position("kept") == 4)
    archive(store, [point(4)], [])
    eventually(lambda: store.position("kept") == 6)

    assert sink.calls[:2] == [[0.0, 1.0, 2.0], [3.0]]
    assert [value for call in sink.calls for value in call] == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert pump.close()
    assert (pump.status().state, pump.status().written, pump.status().behind) == ("going", 5, 0)
    assert sink.closed == 1


def test_a_restart_goes_on_behind_the_saved_position(store: Store, pumps: Callable[[Pump], Pump]) -> None:
    """Nothing that was written and saved is written again, and each name has a position of its own."""
    archive(store, [point(0)])
    Pump("one", Kept(), store).close()
    first = pumps(Pump("one", Kept(), store))
    eventually(lambda: store.position("one") == 1)
    first.close()
    archive(store, [point(1)])
    again, other = Kept(), Kept()
    pumps(Pump("one", again, store))
    pumps(Pump("two", other, store))
    eventually(lambda: (store.position("one"), store.position("two")) == (2, 2))

    assert again.calls == [[1.0]]
    assert [value for call in other.calls for value in call] == [0.0, 1.0]


def test_a_new_sink_begins_with_the_oldest_part_that_is_kept(store: Store, pumps: Callable[[Pump], Pump]) -> None:
    """What all others have passed is gone for good, and nobody counts as behind on it."""
    archive(store, [point(0)], [point(1)], [point(2)])
    store.save_position("old", 2)
    store.drop_passed(["old"], 0)
    gate = threading.Event()

    def slow(_: Sequence[Emission]) -> Sequence[Refused]:
        gate.wait(10)
        return []

    sink = Kept(slow)
    pump = pumps(Pump("new", sink, store))
    eventually(lambda: bool(sink.calls))
    behind = pump.status().behind
    gate.set()
    eventually(lambda: store.position("new") == 3)

    assert sink.calls == [[2.0]]
    assert behind == 1


def test_a_sink_that_was_away_for_longer_than_is_kept_goes_on_with_what_is_new(
    store: Store, pumps: Callable[[Pump], Pump]
) -> None:
    """An archive of which all was dropped has nothing to wait for."""
    archive(store, [point(0)], [point(1)])
    store.drop_passed(["kept"], 2**62)
    sink = Kept()
    pump = pumps(Pump("kept", sink, store))
    eventually(lambda: pump.status().behind == 0)
    archive(store, [point(2)])
    eventually(lambda: store.position("kept") == 3)

    assert sink.calls == [[2.0]]


def test_busy_and_broken_stores_get_the_same_again_until_they_take_it(
    store: Store, pumps: Callable[[Pump], Pump]
) -> None:
    """The position stays where it is until a try succeeds; failures are counted and the last one is told."""
    archive(store, [point(0)])
    failures = [Busy(), Busy(0.001), Broken("no disk"), KeyError("what")]
    sink = Kept(*map(raises, failures))
    pump = pumps(Pump("kept", sink, store, pace=HASTE))
    eventually(lambda: store.position("kept") == 1)
    told = pump.status()

    assert sink.calls == [[0.0]] * 5
    assert (told.state, told.error, told.retries, told.written) == ("going", "KeyError: 'what'", 4, 1)


def test_a_failing_sink_delays_only_itself(store: Store, pumps: Callable[[Pump], Pump]) -> None:
    """One that is broken, one that is busy for an hour, one that hangs: a fourth takes everything all the same."""
    gate = threading.Event()

    def stuck(_: Sequence[Emission]) -> Sequence[Refused]:
        gate.wait(10)
        return []

    broken = pumps(Pump("broken", Kept(raises(Broken("no disk; bring one"))), store))
    busy = pumps(Pump("busy", Kept(raises(Busy(3_600, "later"))), store))
    hung = pumps(Pump("hung", Kept(stuck), store))
    good = pumps(Pump("good", Kept(), store))
    for n in range(5):
        archive(store, [point(n)])
    eventually(lambda: store.position("good") == 5)
    eventually(lambda: broken.status().state == "broken" and busy.status().state == "waiting")
    told = [pump.status() for pump in (broken, busy, hung, good)]
    ended = [broken.close(), busy.close(), hung.close(0.05), good.close()]
    gate.set()

    assert [one.error for one in told] == ["no disk; bring one", "later", "", ""]
    assert [one.position for one in told] == [0, 0, 0, 5]
    assert [one.behind for one in told] == [5, 5, 5, 0]
    assert ended == [True, True, False, True]


def test_what_is_refused_is_kept_as_a_reject_and_passed(store: Store, pumps: Callable[[Pump], Pump]) -> None:
    """The rejects say which sink refused what and why, and the sink goes on behind it."""
    archive(store, [point(0), point(1)], [point(2)])
    sink = Kept(lambda emissions: [Refused(emissions[1], "too odd")])
    pump = pumps(Pump("kept", sink, store, limit=1))
    eventually(lambda: store.position("kept") == 2)

    ((_, reject),) = store.rejects()
    assert (reject.reason, reject.detail) == ("store", "kept: too odd")
    assert (pump.status().written, pump.status().refused) == (2, 1)


class Failing:
    """The archive of a store, of which one method fails the first times."""

    def __init__(self, store: Store, method: str, times: int = 1) -> None:
        self._store = store
        self._method = method
        self._left = times

    def __getattr__(self, name: str) -> object:
        """Be the store in all else."""
        if name == self._method and self._left:
            self._left -= 1
            raise OSError(28, "No space left on device")
        return getattr(self._store, name)


@pytest.mark.parametrize(
    ("method", "calls"),
    [("position", 1), ("newest", 1), ("archive_after", 1), ("wait_newer", 1), ("refused", 2), ("save_position", 2)],
)
def test_an_archive_that_fails_is_told_and_tried_again(
    store: Store, pumps: Callable[[Pump], Pump], method: str, calls: int
) -> None:
    """Whatever of the archive fails, the thread lives; what was written and not saved is written again."""
    archive(store, [point(0)])
    sink = Kept(*[lambda emissions: [Refused(emissions[0], "no")]] * 2)
    log: Log = Failing(store, method)  # type: ignore[assignment]  # it hands on whatever it is asked for
    pump = pumps(Pump("kept", sink, log, pace=HASTE))
    eventually(lambda: store.position("kept") == 1 and pump.status().retries == 1)
    eventually(lambda: pump.status().state == "going")

    assert pump.status().error == "the archive: OSError: [Errno 28] No space left on device"
    assert sink.calls == [[0.0]] * calls


def test_closing_ends_a_long_wait_at_once(store: Store) -> None:
    """An hour of patience, and a minute of a broken sink, end when the process does; the sink is closed by then."""
    archive(store, [point(0)])
    sinks = [Kept(raises(Busy(3_600))), Kept(raises(Broken("no"))), Kept()]
    pumps = [Pump(f"sink{n}", sink, store) for n, sink in enumerate(sinks)]
    for pump in pumps:
        pump.start()
    eventually(lambda: all(sink.calls for sink in sinks))
    begun = time.monotonic()
    for pump in pumps:
        pump.stop()
    ended = [pump.close() for pump in pumps]

    assert ended == [True] * 3
    assert time.monotonic() - begun < 3
    assert [sink.closed for sink in sinks] == [1] * 3
    assert [pump.close() for pump in pumps] == [True] * 3


def test_a_pump_that_never_began_closes_its_sink(store: Store) -> None:
    """Whoever gives up before the start leaves no file open."""
    sink = Kept()

    assert Pump("kept", sink, store).close()
    assert sink.closed == 1


def test_a_sink_that_cannot_be_closed_harms_nobody(store: Store, pumps: Callable[[Pump], Pump]) -> None:
    """The thread ends all the same, and the status says what happened."""

    class Clinging(Kept):
        def close(self) -> None:
            raise OSError("stuck")

    pump = pumps(Pump("kept", Clinging(), store))

    assert pump.close()
    assert pump.status().error == "closing: OSError: stuck"


def test_a_receiver_that_hangs_does_not_hold_back_the_store_beside_it(
    store: Store, pumps: Callable[[Pump], Pump], tmp_path: Path
) -> None:
    """A receiver that hung, failed and asked for patience gets all alerts in order; the store had them long before."""
    changes = [Alert("EngineSilent", NOON + n, n % 2 == 0, "critical", tags=TAGS) for n in range(6)]
    with Receiver(hangs, says(503), says(204), says(429, Retry_After="0")) as receiver:
        sink = WebhookSink(receiver.url, seconds=0.2)
        webhook = pumps(Pump("webhook", sink, store, pace=HASTE))
        pumps(Pump("sqlite", SqliteSink(tmp_path / "store.db"), store))
        for n, change in enumerate(changes):
            archive(store, [point(n), change])
        eventually(lambda: store.position("sqlite") == 6)
        eventually(lambda: store.position("webhook") == 6)

        assert webhook.status().retries == 3
        assert receiver.content() == changes
    assert len(read_points(tmp_path / "store.db")) == 6
