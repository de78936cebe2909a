"""Messages that were sent again after a reject: past the duplicate filter, to one monitor, and to nobody else."""

from __future__ import annotations

from typing import Any, Final

from engine.testing import config, plan_of, report, state
from engine.testing.values import message
from engine.times import SECOND
from monitors.health import Health
from monitors.record_count import RecordCount
from monitors.throughput import Throughput
from tests.engine.failing import InBatches, KeyRaises, Sums
from tests.engine.runs import COUNT, STREAM, Runner, Sent, given, values

RETRY: Final = ("retry-of", b"given/0/3")


def number(offset: int, n: int, of: str = "a", **parts: Any) -> Sent:
    """Put a number on the stream, a second after the one before."""
    return Sent(STREAM, message(STREAM, offset, {"n": n, "of": of}, time=offset * SECOND, **parts))


def test_a_retry_goes_past_the_duplicate_filter_to_its_monitor_alone() -> None:
    """The others never see it; without the header the same report is a duplicate."""
    again = report("e", COUNT, 5, delta_time=10.0, id=1)
    runner = Runner(lambda: plan_of(Throughput(), RecordCount()))
    runner.take([given(0, again, at=10)])
    runner.take([given(1, again, at=10)])
    runner.take([given(2, again, at=10, headers=(RETRY, ("retry-monitor", b"record_count")))])

    assert values(runner.came, "records_total")[-1][1] == 10
    assert len(values(runner.came, "records_per_second")) == 1
    assert runner.counts.duplicates == 1


def test_other_headers_change_nothing() -> None:
    """A header of tracing, or a retry of a message that no monitor had refused, leaves the filter as it is."""
    again = report("e", COUNT, 5, delta_time=10.0, id=1)
    runner = Runner(lambda: plan_of(Throughput(), RecordCount()))
    runner.take([given(0, again, at=10, headers=(("traceparent", b"00-1-2-01"),))])
    runner.take([given(1, again, at=10, headers=(("traceparent", b"00-1-3-01"), RETRY))])
    runner.take([given(2, report("e", COUNT, 5, delta_time=10.0), at=20, headers=(("traceparent", b""),))])

    assert [value for _, value in values(runner.came, "records_total")] == [5, 10]
    assert len(values(runner.came, "records_per_second")) == 2
    assert runner.counts.duplicates == 1


def test_a_retry_for_a_monitor_that_is_gone_is_ignored() -> None:
    """Nobody gets it, and it is counted."""
    runner = Runner(lambda: plan_of(Throughput(), RecordCount()))
    runner.take([given(0, report("e", COUNT, 5), at=10, headers=(("retry-monitor", b"gone\xff"),))])

    assert runner.came.emissions == []
    assert runner.counts.ignored == 1


def test_a_retry_makes_no_second_reject_of_another_monitor() -> None:
    """Who failed on the record is not asked again for the sake of somebody else."""
    first = plan_of(KeyRaises(KeyRaises.Options(bad=1)), Sums(), decode="json")
    items = [number(0, 1), number(1, 1, headers=(("retry-monitor", b"sums"),))]
    runner = Runner(lambda: first)
    for item in items:
        runner.take([item])

    assert [(one.message.offset, one.monitor) for one in runner.came.rejects] == [(0, "key_raises")]
    assert [value for _, value in values(runner.came, "sum_total", monitor="sums")] == [1, 2]
    assert runner.memory.pipelines[0].series == {"key_raises": 0, "sums": 1}


def test_a_retry_begins_no_series_of_another_monitor() -> None:
    """Not even where the monitor forgot the series, or joined the workflow later."""
    runner = Runner(lambda: plan_of(Throughput(), RecordCount()))
    runner.take([given(0, report("e", COUNT, 5), at=10, headers=(("retry-monitor", b"record_count"),))])
    runner.take([given(1, report("e", COUNT, 5), at=20)])

    assert values(runner.came, "records_total") == [(10, 5), (20, 10)]
    assert values(runner.came, "records_per_second") == []  # the report at 20 s is the first one, it sets the clock


def test_a_retry_names_no_model() -> None:
    """An old engine-config that is sent again for one monitor does not bring the old name back."""
    runner = Runner(lambda: plan_of(Health()))
    runner.take([given(0, config("e", "old"), at=1)])
    runner.take([given(1, config("e", "new"), at=2)])
    runner.take([given(2, config("e", "old"), at=1, headers=(("retry-monitor", b"health"),))])
    runner.take([given(3, state("e", "running"), at=3)])

    assert [item.tags["model"] for item in runner.came.named("engine_state")] == ["new"]


def test_a_retry_reaches_a_monitor_that_takes_batches() -> None:
    """It waits like the others, and nobody else's batch has it."""
    runner = Runner(lambda: plan_of(Sums(), InBatches(), decode="json"))
    runner.take([number(0, 1), number(1, 1, headers=(("retry-monitor", b"in_batches"),)), number(2, 1)])

    assert [value for _, value in values(runner.came, "sum_total", monitor="sums")] == [1, 2]
    assert [value for _, value in values(runner.came, "sum_total", monitor="in_batches")] == [1, 2, 3]
