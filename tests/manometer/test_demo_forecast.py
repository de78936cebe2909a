"""The model of the live demo really forecasts, and what it reads is what was recorded."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from engine.decoders import StreamSettings, Undecodable
from engine.decoders.json import Json
from engine.events import Message
from manometer.demo import story
from manometer.demo.arrivals import ARRIVALS, COUNTS, Arrival, Wire, read_arrivals, read_counts, share
from manometer.demo.engine import Feed, Orders, prepare
from manometer.demo.forecast import TRAINED_ON, WEEK, Accuracy, Forecaster
from manometer.demo.model import Model
from manometer.resources import resource
from sensors import Slot, Tap

ORDERS = Orders(address="", inputs="i", predictions="p", begin=1_000.0, speed=100.0, seed=1)


@pytest.fixture(scope="module")
def counts() -> list[int]:
    """Read the recorded passengers."""
    return read_counts(resource(COUNTS))


def test_it_forecasts_what_it_has_never_seen_much_better_than_the_last_value(counts: list[int]) -> None:
    """Half an hour ahead it is off by less than 5 %; that the next count equals the last is off by more than 10 %."""
    model = Forecaster.trained(counts[:TRAINED_ON])
    later = range(9 * WEEK, 15 * WEEK)

    errors = [abs(model.forecast(n % WEEK, counts[n]) - counts[n + 1]) / counts[n + 1] for n in later]
    naive = [abs(counts[n] - counts[n + 1]) / counts[n + 1] for n in later]

    assert sum(errors) / len(errors) < 0.05
    assert sum(naive) / len(naive) > 0.10


def test_training_finds_the_profile_and_how_long_deviations_last() -> None:
    """Made-up weeks with a known profile and share are learned back, exactly where nothing is by chance."""
    deviation, logs = 1.0, []
    for place in range(4 * WEEK):
        logs.append(math.sin(place % WEEK) + deviation * (1 if place // WEEK % 2 else -1))
        deviation *= 0.9 if (place + 1) % WEEK else 1 / 0.9 ** (WEEK - 1)

    model = Forecaster.trained([math.exp(log) for log in logs])

    # Deviations of two weeks are those of the other two with the other sign, so the profile is what is left.
    assert model.profile == pytest.approx([math.sin(place) for place in range(WEEK)])
    assert model.share == pytest.approx(0.9, abs=0.02)


def test_a_forecaster_of_steady_counts_forecasts_them() -> None:
    """Where nothing ever changes the forecast is the count, and a count of 0 breaks nothing."""
    model = Forecaster.trained([7.0] * WEEK)

    assert model.forecast(WEEK - 1, 7.0) == pytest.approx(7.0)
    assert model.forecast(0, 0) > 0


def test_accuracy_judges_a_forecast_when_its_count_comes() -> None:
    """The mean moves by a twentieth of what is new; without a forecast there is nothing to judge."""
    accuracy = Accuracy()

    assert accuracy.judge(100.0) == 0.0
    accuracy.foretold(150.0)
    assert accuracy.judge(100.0) == pytest.approx(0.05 * 0.5)


def test_arrivals_are_shared_among_the_engines_in_their_order(counts: list[int]) -> None:
    """Together the engines get each recorded arrival once; counts follow each other half hour by half hour."""
    times = read_arrivals(resource(ARRIVALS))
    shares = [list(share(times, counts, engine=place, engines=5)) for place in range(5)]

    assert sorted(arrival.at for one in shares for arrival in one) == sorted(times)
    assert len(times) > 8_000
    assert all(0 <= at < story.DAY for at in times)
    for one in shares:
        assert all((after.half_hour - before.half_hour) % WEEK == 1 for before, after in pairwise(one))


def test_few_inputs_are_misfits_and_the_same_seed_gives_the_same() -> None:
    """About 1.2 % do not fit the schema, 0.8 % are no JSON, all others are whole."""
    arrivals = [Arrival(float(n), n, n % WEEK, 1_000) for n in range(10_000)]
    wires = [Wire("taxi-1", seed) for seed in (1, 1, 2)]
    first, again, other = ([wire.write(one, 5, twice=False) for one in arrivals] for wire in wires)
    schema = {"properties": {"passengers": {"type": "integer"}}}
    decoder = Json(StreamSettings(time="time", schema=schema))
    reasons = {"schema": 0, "encoding": 0}
    for data in first:
        try:
            decoder.decode(Message("", 0, 0, None, None, data))
        except Undecodable as reject:
            reasons[reject.reason] += 1

    assert first == again != other
    # Three standard deviations of a binomial count of 10,000: 33 and 27.
    assert abs(reasons["schema"] - 120) < 33
    assert abs(reasons["encoding"] - 80) < 27


def test_a_feed_gives_what_is_due_with_the_present_as_its_time() -> None:
    """Gaps are divided by the speed, and the day begins again when it is over."""
    feed = Feed("taxi-1", (Arrival(50.0, 0, 0, 10), Arrival(100.0, 1, 1, 20)), ORDERS)

    assert list(feed.due(49.0)) == []
    (first,) = feed.due(60.0)
    second, third = feed.due(story.DAY + 50.0)

    assert b'"time":1000.5,' in first  # 50 s of the day at a hundredfold speed, after the begin at 1000
    assert b'"time":1001.0,' in second
    assert b'"time":1864.5,' in third  # a day is 864 s at this speed


def test_a_feed_that_drifts_counts_some_passengers_twice() -> None:
    """From then on about half of the inputs have twice the number."""
    feed = Feed("taxi-3", tuple(Arrival(float(n), n, 0, 1_000) for n in range(2_000)), ORDERS)
    before = list(feed.due(999.0))
    feed.drifting = True
    after = list(feed.due(1_999.0))

    assert not any(b"2000}" in data for data in before)
    assert 400 < sum(b"2000}" in data for data in after) < 600


def test_a_model_counts_what_it_reads_writes_and_rejects() -> None:
    """Each input counts in slot 0, each forecast in slot 1, each reject by its reason; the error is that of before."""
    taps = [[Tap(f"{slot}.{name}") for name in ("count", "size", "schema", "encoding")] for slot in (0, 1)]
    read, written = Slot(*taps[0]), Slot(*taps[1])
    schema = {"type": "object", "required": ["passengers"]}
    model = Model("taxi-1", Forecaster.trained([7.0] * WEEK), schema, (read, written))
    whole = b'{"time":1.5,"id":"a","engine":"taxi-1","half_hour":3,"passengers":7}'

    first, second = model.take(whole), model.take(whole)

    assert first == b'{"time":1.5,"id":"a","engine":"taxi-1","passengers":7.0,"error":0.0}' == second
    assert (model.take(b"{}"), model.take(b"\xff")) == (None, None)
    assert [tap.total for tap in taps[0]] == [4, 2 * len(whole) + 3, 1, 1]
    assert taps[1][0].total == 2


def test_every_engine_of_the_story_has_something_to_consume() -> None:
    """All five are prepared with the same model and arrivals of their own."""
    prepared = [prepare(name) for name in story.ENGINES]

    assert len({one.forecaster.share for one in prepared}) == 1
    assert len({one.arrivals[0] for one in prepared}) == len(story.ENGINES)
    assert {event.engine for event in story.STORY} <= set(story.ENGINES)
