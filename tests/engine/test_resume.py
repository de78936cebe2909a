"""Cut and resumed anywhere: a pipeline that begins from the saved states of another goes on as if it were that one."""

from __future__ import annotations

import random

import pytest

from engine.events import Alert
from tests.engine.eventful import eventful_plan, eventful_stream
from tests.engine.runs import Came, Runner, Sent, batches, cut_at_each, same, whole


@pytest.fixture(scope="module")
def expected() -> Came:
    """The eventful stream, uninterrupted."""
    return whole(eventful_plan, eventful_stream())


def test_the_stream_has_in_it_what_is_to_survive(expected: Came) -> None:
    """Each alert fires and resolves, values and alerts are repeated, models change; else equality would mean little."""
    told = {(item.name, item.firing) for item in expected.emissions if isinstance(item, Alert) and not item.repeat}
    names = ("EngineError", "EngineSilent", "StreamSilent", "Large", "CpuSaturated", "CpuBusy", "Slow", "EngineUnwell")

    assert {(name, firing) for name in names for firing in (True, False)} - told == set()
    assert {"engine_state", "EngineSilent", "EngineUnwell"} <= {item.name for item in expected.emissions if item.repeat}
    assert {"lstm", "lstm-2", "lstm-3", "e2", "second"} <= {item.tags.get("model") for item in expected.emissions}
    assert sorted(one["reason"] for one in expected.reasons) == ["encoding", "encoding", "schema", "time"]


def test_twice_the_same_stream_gives_twice_the_same(expected: Came) -> None:
    """The same messages give the same bytes."""
    same(whole(eventful_plan, eventful_stream()), expected)


@pytest.mark.parametrize("size", [1, 2, 3, 50])
def test_the_cut_into_batches_is_nothing(expected: Came, size: int) -> None:
    """However many messages are applied in one call, the emissions come in the same order."""
    same(whole(eventful_plan, eventful_stream(), size=size), expected)


def test_cut_and_resumed_at_each_record_gives_the_same(expected: Came) -> None:
    """Saved, thrown away and restored after each message and tick, with the store of all that was ever saved."""
    same(cut_at_each(eventful_plan, eventful_stream()), expected)


def test_resumed_at_any_record_and_run_to_the_end_gives_the_same(expected: Came) -> None:
    """One cut a run: at every 11th place the rest runs on in a process that lives."""
    items = eventful_stream()
    for place in range(0, len(items), 11):
        runner = Runner(eventful_plan)
        for part in (items[:place], items[place:]):
            for call in batches(part, lambda: 64):
                runner.take(call)
            runner.save()
            runner.resume()

        same(runner.came, expected)


def test_what_lies_below_the_watermark_is_skipped(expected: Came) -> None:
    """Messages that come again after a restart change nothing and are counted."""
    items = eventful_stream()
    messages = [item for item in items if isinstance(item, Sent)]
    runner = Runner(eventful_plan)
    runner.take(messages[:200])
    runner.save()
    runner.resume()
    for call in batches([*messages[120:], *items[len(messages) :]], lambda: 7):
        runner.take(call)

    same(runner.came, expected)
    assert runner.counts.skipped == 80


def test_a_crash_between_checkpoints_writes_again_but_never_differently(expected: Came) -> None:
    """What came since the checkpoint is sent again and emitted again, the same emissions, whatever the batches."""
    items = eventful_stream()
    random_ = random.Random(5)
    runner = Runner(eventful_plan)
    kept, place = 0, 0
    while place < len(items):
        ahead = items[place : place + random_.randrange(1, 60)]
        for call in batches(ahead, lambda: random_.randrange(1, 9)):
            runner.take(call)
        if random_.random() < 0.5:
            del runner.came.emissions[kept:]
            runner.resume()
            runner.came.rejects[:] = [one for one in runner.came.rejects if one.message.offset < place]
        else:
            runner.save()
            kept, place = len(runner.came.emissions), place + len(ahead)

    same(runner.came, expected)
