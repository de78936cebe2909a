"""Engines that are expected, and health over long times."""

from __future__ import annotations

from engine.events import Alert, Message, Metric
from engine.partitioner import partition_of
from engine.times import DAY, MINUTE, SECOND
from monitors.health import Health
from tests.monitors.health_runs import followed, health
from tests.monitors.sensor_messages import Item, Tick, config, pipeline, report, run, state

LISTED = {"a": "lstm", "b": "gru"}


def test_expected_engines_count_as_seen_at_the_first_message() -> None:
    """Engines of the workflow file that never say anything are silent from the stream's first message on."""
    items: list[Item] = [report(10, 1, src="a"), report(60, 1, src="a"), Tick(70)]
    ran = run(health(expected=True), items, engines=LISTED)

    assert [(item.time / SECOND, item.name, item.tags["engine"]) for item in ran.emissions] == [
        (70, "engine_state", "b"),
        (70, "EngineSilent", "b"),
    ]
    assert {item.tags["model"] for item in ran.emissions} == {"gru"}


def test_an_expected_engine_that_comes_late_is_back() -> None:
    """Its first message ends the silence like any other."""
    items = [report(10, 1, src="a"), report(80, 1, src="b")]
    ran = run(health(expected=True), items, engines={"b": "gru"})

    assert [item[:2] for item in ran.alerts("EngineSilent") if item[0] != 70] == [(80, False)]
    assert ran.told("engine_state", engine="b") == [(70, 3)]


def test_nobody_is_expected_unless_asked_for() -> None:
    """Without `expected` an engine of the workflow file that was never seen is never silent."""
    ran = run(Health(), [report(10, 1, src="c"), Tick(70)], engines=LISTED)

    assert [item.tags["engine"] for item in ran.emissions if isinstance(item, Alert)] == ["c"]


def test_expected_engines_are_expected_on_their_own_partition() -> None:
    """Where there are several partitions an engine counts as seen only on the one its id falls to."""
    engines = {f"engine-{number}": "m" for number in range(20)}
    found = {}
    for partition in range(3):
        running = pipeline(health(expected=True), engines, partition=partition, partitions=3)
        running.apply("notify", [Message("notify", partition, 0, None, b"x", report(10, 1, src="x"))])
        emissions = running.move({"notify": 70 * SECOND}).emissions
        found[partition] = {item.tags["engine"] for item in emissions if isinstance(item, Metric)} - {"x"}

    assert found == {
        partition: {engine for engine in engines if partition_of(engine, 3) == partition} for partition in range(3)
    }
    assert all(found.values())


def test_other_durations_are_kept_to_the_microsecond() -> None:
    """`silent_after` is any duration."""
    assert followed(report(10, 1), Tick(20), silent_after="1500ms").alerts("EngineSilent") == [(11.5, True)]
    assert Health().silent_after == MINUTE


def test_at_the_end_of_a_replay_silence_needs_another_engine_to_show() -> None:
    """The end of the input moves time by a microsecond and no more: what was not silent by then is not."""
    quiet = run(Health(), [report(10, 1)], end=True)
    shown = run(Health(), [report(10, 1), report(69.999999, 1, src="f")], end=True)

    assert (quiet.alerts("EngineSilent"), shown.alerts("EngineSilent")) == ([], [(70, True)])


def test_alerts_say_what_is_wrong() -> None:
    """Value, severity, summary and runbook are there for the person who reads the alert."""
    ran = followed(state(10, "error"), report(100, 1), state(110, "running"), silent_after="90s")
    found = [
        (item.value, item.severity, item.summary, item.runbook) for item in ran.emissions if isinstance(item, Alert)
    ]

    assert found == [
        (2, "critical", "The engine says that it is in error.", "engine-error"),
        (3, "critical", "Nothing came from the engine for 90s.", "engine-silent"),
        (None, "critical", "The engine is back.", "engine-silent"),
        (1, "critical", "The engine is no longer in error.", "engine-error"),
    ]


def test_a_firing_alert_keeps_the_name_of_its_model() -> None:
    """An alert that fires while the model is renamed ends under its old name; new points have the new one."""
    ran = run(Health(), [config(9, "old"), state(10, "error"), config(11, "new"), state(12, "running")])

    assert [(item.name, item.tags["model"]) for item in ran.emissions] == [
        ("engine_state", "old"),
        ("EngineError", "old"),
        ("engine_state", "new"),
        ("EngineError", "old"),
    ]


def test_an_engine_is_forgotten_after_a_week_but_not_while_an_alert_fires() -> None:
    """One that left is forgotten, one that is silent is not; so who is missing is never lost from sight."""
    items: list[Item] = [state(10, "stopped", src="left"), report(10, 1, src="silent"), Tick(10 + 8 * DAY / SECOND)]
    ran = run(Health(), items)

    assert ran.pipeline.series == {"m": 1}
    assert [item.tags["engine"] for item in ran.emissions if isinstance(item, Alert)] == ["silent"]
