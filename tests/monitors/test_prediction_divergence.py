from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from math import sqrt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.events import Alert
from engine.testing import END, At, Line, feed, feed_every_way
from monitors.prediction_divergence import PredictionDivergence


def monitor(**options: Any) -> PredictionDivergence:
    """Make the monitor as a workflow file would."""
    return PredictionDivergence(PredictionDivergence.Options.model_validate(options, strict=False))


def table(errors: Sequence[float], *, lag: float = 2, step: float = 10, truth: float = 100) -> list[Line]:
    """Give predictions with these errors, each with its truth a little later."""
    lines: list[Line] = []
    for n, error in enumerate(errors):
        lines += [(n * step, "prediction", {"id": n, "value": truth + error})]
        lines += [(n * step + lag, "truth", {"id": n, "value": truth})]
    return lines


def test_the_error_of_each_pair_is_told_at_its_time() -> None:
    """Prediction less truth, signed, at the later of the two times."""
    fed = feed_every_way(monitor(), [*table([0, 1.5, -2]), END])

    assert fed.metrics("prediction_error") == [(2, 0), (12, 1.5), (22, -2)]


def test_pairs_of_one_time_are_a_microsecond_apart() -> None:
    """Two pairs of the same time come in the order of their keys, and both points are there."""
    lines: list[Line] = [(1, side, {"id": key, "value": key}) for side in ("prediction", "truth") for key in (2, 1)]
    lines.append((1, "truth", {"id": 3, "value": 0}))

    fed = feed(monitor(), [*lines, END])

    assert fed.metrics("prediction_error") == [(1, 0), (1.000001, 0)]


def test_the_fields_may_have_other_names() -> None:
    """`prediction_field` and `truth_field` name the numbers, also inside others."""
    lines: list[Line] = [(0, "prediction", {"id": 1, "out": {"y": 3}}), (0, "truth", {"id": 1, "label": 2}), END]

    fed = feed(monitor(prediction_field="out.y", truth_field="label"), lines)

    assert fed.metrics("prediction_error") == [(0, 1)]


@pytest.mark.parametrize("value", ["3", True, None, [3], 10**400, 1e300])
def test_what_is_no_number_is_a_reject_of_both(value: object) -> None:
    """A pair without two numbers that can be compared counts nowhere, and both messages are rejects."""
    lines: list[Line] = [(0, "prediction", {"id": 1, "value": value}), (1, "truth", {"id": 1, "value": 2}), END]

    fed = feed_every_way(monitor(), lines)

    assert fed.reasons() == [(0, "monitor", "prediction_divergence")] * 2
    assert fed.emissions == []


def test_the_means_of_a_window() -> None:
    """At the end of a window: bias, mean absolute error, root mean square, mean lag, share of predictions that met."""
    errors = [1.0, -2.0, 4.0]
    lines = [*table(errors), (25, "prediction", {"id": "x", "value": 0}), (26, "truth", {"id": "y", "value": 0})]

    fed = feed_every_way(monitor(window="60s", wait="30s"), [*lines, At(70.1)])

    assert fed.metrics("prediction_bias") == [(60, 1)]
    assert fed.metrics("prediction_mae") == [(60, 7 / 3)]
    assert fed.metrics("prediction_rmse") == [(60, sqrt(21 / 3))]
    assert fed.metrics("label_lag_seconds") == [(60, 2)]
    assert fed.metrics("prediction_match_ratio") == [(60, 3 / 4)]
    assert fed.metrics("predictions_unmatched_total") == [(60, 1)]
    assert fed.metrics("truths_unmatched_total") == [(60, 1)]


def test_a_pair_at_the_end_of_a_window_is_in_the_next() -> None:
    """A window holds its first microsecond and not that of the next; one that has not ended tells nothing."""
    fed = feed_every_way(monitor(window="12s"), [*table([1, 2, 4]), END])

    assert fed.metrics("prediction_bias") == [(12, 1)]


def test_a_window_closes_though_no_pair_comes() -> None:
    """Time alone ends a window, once no pair of it can come any more."""
    lines = [*table([1])]

    assert feed(monitor(window="12s"), [*lines, At(21.999999)]).metrics("prediction_bias") == []
    assert feed(monitor(window="12s"), [*lines, At(22)]).metrics("prediction_bias") == [(12, 1)]


@pytest.mark.parametrize(
    ("options", "errors", "expected"),
    [
        pytest.param({"threshold": 0.5}, [0.5, -0.5], [], id="at the threshold it does not"),
        pytest.param({"threshold": 0.5}, [0, 0.6, 0], [(12, "firing"), (22, "resolved")], id="above it does"),
        pytest.param({"threshold": 0.5}, [-0.6, -0.7], [(2, "firing")], id="on either side"),
        pytest.param({"threshold": 0}, [0, 1e-9], [(12, "firing")], id="none at all is allowed"),
        pytest.param({"relative": 0.1}, [10, 10.5], [(12, "firing")], id="a share of the truth, which is 100"),
        pytest.param({"relative": 0.1, "threshold": 20}, [15, 25], [(12, "firing")], id="over both"),
        pytest.param({"threshold": 1, "consecutive": 2}, [2, 0, 2, 2, 2, 0], [(32, "firing"), (52, "resolved")]),
        pytest.param({"threshold": 1, "consecutive": 1}, [2], [(2, "firing")], id="one is the default"),
        pytest.param({"sigma": 3}, [9] + [1, -1] * 15, [], id="sigma before 30 are known"),
        pytest.param({"sigma": 3}, [1, -1] * 15 + [3, 4, 0], [(312, "firing"), (322, "resolved")], id="sigma"),
    ],
)
def test_the_alert_fires_at_the_pair(
    options: dict[str, Any], errors: list[float], expected: list[tuple[float, str]]
) -> None:
    """It fires with the pair that crosses the bound, at its time, and resolves with the first that does not."""
    fed = feed_every_way(monitor(**options), [*table(errors), END])

    assert fed.alerts("PredictionDiverged") == expected


def test_the_alert_says_what_diverged() -> None:
    """Its value is the absolute error; key, prediction, truth, error and the bounds are its evidence."""
    fired, resolved = (
        item for item in feed(monitor(threshold=0.5), [*table([-2, 0]), END]).emissions if isinstance(item, Alert)
    )

    assert (fired.value, resolved.value) == (2, 0)
    assert fired.evidence == {"key": "0", "prediction": 98, "truth": 100, "error": -2, "threshold": 0.5}
    assert fired.summary == "The prediction diverges: 98 where the truth is 100."


def test_errors_that_diverge_do_not_teach_sigma() -> None:
    """A model that stays wrong stays wrong: what diverges is not taken into mean and spread."""
    fed = feed(monitor(sigma=3), [*table([1, -1] * 15 + [50] * 40), END])

    assert fed.alerts("PredictionDiverged") == [(302, "firing")]


def test_share_looks_at_whole_windows() -> None:
    """With `share` the alert fires and resolves at ends of windows; its value is the share that diverged."""
    fed = feed_every_way(monitor(threshold=1, share=0.5, window="20s"), [*table([2, 0, 2, 2, 2, 0, 0]), END])

    assert fed.alerts("PredictionDiverged") == [(40, "firing"), (60, "resolved")]
    assert [item.value for item in fed.emissions if isinstance(item, Alert)] == [1, 0.5]


@pytest.mark.parametrize(
    "wrong",
    [
        {"threshold": 1, "share": 0.1, "consecutive": 2},
        {"share": 0.1},
        {"consecutive": 2},
        {"threshold": -1},
        {"window": "0s"},
        {"share": 1},
    ],
)
def test_options_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    """Bounds that cannot be, two ways to judge at once, or a way to judge without a bound."""
    with pytest.raises(ValidationError):
        monitor(**wrong)


def test_off_is_no_share() -> None:
    """`share: off` is the same as leaving it out."""
    assert monitor(threshold=1, share="off").options.share is None


def test_missing_truth_fires_when_none_comes_at_all() -> None:
    """It fires when a prediction has waited in vain and no pair came out meanwhile, and resolves with the next pair."""
    lines = [*table([0, 0]), *((20 + n, "prediction", {"id": f"x{n}", "value": 0}) for n in range(60))]
    lines += [(85, "prediction", {"id": "y", "value": 1}), (86, "truth", {"id": "y", "value": 1}), END]

    fed = feed_every_way(monitor(wait="30s"), lines)
    fired, resolved = (item for item in fed.emissions if isinstance(item, Alert))

    assert fed.alerts("LabelsMissing") == [(50, "firing"), (86, "resolved")]
    assert (fired.value, fired.evidence) == (30, {"key": "x0", "newest_pair": 12.0})
    assert resolved.value == 74


def test_single_truths_that_are_lost_do_not_fire() -> None:
    """As long as any pair comes out within `wait`, labels are not missing."""
    lines = [line for n, line in enumerate(table([0] * 50)) if n % 6 != 1]

    assert feed(monitor(wait="30s"), [*lines, END]).alerts("LabelsMissing") == []


def lost(lines: list[Line], chance: random.Random, share: float) -> list[Line]:
    """Leave out lines."""
    return [line for line in lines if chance.random() >= share]


def doubled(lines: list[Line], chance: random.Random, share: float) -> list[Line]:
    """Send lines again, right away or later."""
    again = [
        (min(n + chance.randrange(1, 30), len(lines)), line) for n, line in enumerate(lines) if chance.random() < share
    ]
    found = list(lines)
    for place, line in sorted(again, key=lambda one: -one[0]):
        found.insert(place, line)
    return found


def delayed(lines: list[Line], chance: random.Random, share: float) -> list[Line]:
    """Let lines come up to a minute later than their time: their stream has then moved past their lateness."""
    places = [(n + (chance.randrange(1, 30) if chance.random() < share else 0), n) for n in range(len(lines))]
    return [lines[n] for _, n in sorted(places)]


def reordered(lines: list[Line], chance: random.Random, share: float) -> list[Line]:
    """Swap neighbours."""
    found = list(lines)
    for n in range(1, len(found)):
        if chance.random() < share:
            found[n - 1], found[n] = found[n], found[n - 1]
    return found


DAMAGES = {change.__name__: change for change in (lost, doubled, delayed, reordered)}


@pytest.mark.parametrize("share", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("side", ["prediction", "truth"])
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_perfect_model_never_diverges(
    damage: Callable[[list[Line], random.Random, float], list[Line]], side: str, share: float
) -> None:
    """Whatever happens to a stream: no false divergence, and the share of matches is exactly that of the keys."""
    sides = perfect(600)
    chance = random.Random(f"{damage.__name__} {side} {share}")
    sides[side] = damage(sides[side], chance, share)
    fed = feed(monitor(threshold=0, window="100000s", wait="5m"), [*mixed(sides, chance), At(200_000)])

    met = keys(sides["prediction"]) & keys(sides["truth"])
    assert fed.alerts("PredictionDiverged") == []
    assert {value for _, value in fed.metrics("prediction_error")} == {0.0}
    assert len(fed.metrics("prediction_error")) == len(met)
    assert fed.metrics("prediction_match_ratio") == [(100_000, len(met) / len(keys(sides["prediction"])))]
    assert fed.metrics("predictions_unmatched_total") == [(100_000, len(keys(sides["prediction"]) - met))]
    assert fed.metrics("truths_unmatched_total") == [(100_000, len(keys(sides["truth"]) - met))]


def perfect(count: int) -> dict[str, list[Line]]:
    """Give predictions that are right, each with its truth 20 seconds later, by side."""
    return {
        side: [(n * 2 + lag, side, {"id": n, "value": n % 7}) for n in range(count)]
        for side, lag in (("prediction", 0), ("truth", 20))
    }


def keys(lines: Sequence[Line]) -> set[int]:
    """Give the keys that are there."""
    return {line[2]["id"] for line in lines}  # type: ignore[index,misc]  # all are records with a stream


def mixed(sides: dict[str, list[Line]], chance: random.Random) -> list[Line]:
    """Mix the two streams in any way; the order in each stays."""
    left = [list(lines) for lines in sides.values()]
    found: list[Line] = []
    while any(left):
        lines = chance.choice([lines for lines in left if lines])
        count = chance.choice([1, 1, 3, 50])
        found += lines[:count]
        del lines[:count]
    return found


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.sampled_from([0.01, 0.05, 0.2]))
def test_any_interleaving_gives_the_same(seed: int, share: float) -> None:
    """Lost, doubled, delayed and reordered at once, in two interleavings: the same emissions, and none diverges."""
    chance = random.Random(seed)
    sides = perfect(60)
    for side in sides:
        for damage in DAMAGES.values():
            sides[side] = damage(sides[side], chance, share)
    subject = monitor(threshold=0, window="30s", wait="40s")

    one, other = (feed(subject, [*mixed(sides, random.Random(seed + n)), END]) for n in (1, 2))

    assert one.lines() == other.lines()
    assert one.alerts("PredictionDiverged") == []


def test_a_model_that_is_wrong_once_diverges_once() -> None:
    """What the tests above never see is seen: one wrong prediction among many, in any order of the streams."""
    sides = perfect(100)
    sides["prediction"][50] = (100, "prediction", {"id": 50, "value": 1000})

    fed = feed(monitor(threshold=0.5, wait="5m"), [*mixed(sides, random.Random(1)), END])

    assert fed.alerts("PredictionDiverged") == [(120, "firing"), (122, "resolved")]
