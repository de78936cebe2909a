"""What Manometer tells of itself: one table, as Prometheus text and as metrics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import pytest
from prometheus_client.parser import text_string_to_metric_families

from engine.catalogue import MetricSpec
from engine.events import Emission, Message, Metric, Record
from engine.memory import Memory
from engine.monitor import Key, Monitor, MonitorState
from engine.pipeline import Pipeline
from engine.plan import Attached, Plan
from engine.telemetry import TELEMETRY, Reading, as_metrics, as_text, readings
from engine.testing import message, plan_of, report, state
from engine.times import SECOND, time_text

LOAD: Final = MetricSpec(name="load_ratio", kind="gauge", unit="ratio", help="What the record says.")
TOPIC: Final = "given"
HEADER: Final = {"group": TOPIC, "partition": "0"}


class Loads(Monitor):
    """Emits what states say; has a series of each, raises on `bad`."""

    class State(MonitorState):
        """How many there were."""

        count: int = 0

    series = ("state",)
    emits = (LOAD,)

    def key(self, record: Record) -> Key | None:
        """Take states by their word."""
        word = getattr(record.value, "state", None)
        return (word,) if isinstance(word, str) else None

    def on_record(self, record: Record, state: State) -> Iterable[Emission]:
        """Emit the word as a number, which NaN is none of."""
        state.count += 1
        return (LOAD.at(record.time, float(record.value.state)),)


def sent(*values: object) -> list[Message]:
    """Number values as messages of one stream, one a second."""
    return [message(TOPIC, offset, _timed(value, offset), time=offset * SECOND) for offset, value in enumerate(values)]


def _timed(value: object, offset: int) -> object:
    return {"timestamp": time_text(offset * SECOND), **value} if isinstance(value, dict) else value


def plan(**parts: int) -> Plan:
    """Make a plan of that monitor, on sensor messages."""
    made = plan_of(Loads(), decode="sensors")
    attached = Attached(name="loads", use="loads", monitor=Loads(), sources={TOPIC: TOPIC}, **parts)  # type: ignore[arg-type]  # max_series alone is given
    return Plan(workflow="w", streams=made.streams, monitors=(attached,))


def pipeline(messages: Sequence[Message], *, of: Plan | None = None) -> Pipeline:
    """Run messages through one pipeline."""
    memory = Memory(of or plan())
    memory.apply(TOPIC, messages)
    return memory.pipelines[0]


def told(table: Iterable[Reading]) -> dict[str, float]:
    """Give what is not zero, by name and whatever tells it apart from the same name."""
    found = {}
    for item in table:
        rest = {name: text for name, text in item.tags.items() if name not in HEADER}
        found[" ".join([item.spec.name, *rest.values()])] = item.value
    return {name: value for name, value in found.items() if value}


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([state("e1", "1")], {"messages_total applied": 1, "emissions_total": 1, "series_known loads": 1}),
        ([report("e1", "sys.memory", 1)], {"messages_total ignored": 1}),
        ([b"no JSON"], {"messages_total undecodable": 1}),
        ([report("e1", "a", 1, timestamp="1970-01-01T00:00:00Z")] * 2,
         {"messages_total ignored": 1, "messages_total duplicate": 1}),
        ([report("e1", "a", 1, timestamp=f"1970-01-01T00:00:0{n}Z") for n in (5, 4)],
         {"messages_total ignored": 2, "reports_late_total": 1, "stream_time_seconds": 5}),
        ([state("e1", "nan")],
         {"messages_total applied": 1, "emissions_not_finite_total": 1, "series_known loads": 1}),
        ([state("e1", "bad")], {"messages_total applied": 1, "monitor_errors_total loads": 1, "series_known loads": 1}),
    ],
    ids=["applied", "ignored", "undecodable", "duplicate", "late", "not finite", "error"],
)  # fmt: skip
def test_everything_that_may_become_of_a_message_is_counted(messages: list[object], expected: dict[str, float]) -> None:
    """Each under its own name, and nothing else moves."""
    assert told(readings([pipeline(sent(*messages))])) == expected


def test_messages_are_skipped_series_refused_and_states_reset() -> None:
    """What happens around a restart and at a bound is counted too."""
    messages = sent(state("e1", "1"), state("e1", "2"), state("e1", "3"))
    first = pipeline(messages[:2], of=plan(max_series=1))
    broken = {name: data and data.replace(b"count\x01", b"count\xa1x") for name, data in first.snapshot()}
    second = Memory(plan(max_series=1))
    second.restore((0, name, data) for name, data in broken.items())
    second.apply(TOPIC, messages)

    assert told(readings([first]))["series_refused_total"] == 1
    found = told(readings(second.pipelines))
    assert (found["messages_total skipped"], found["states_reset_total"], found["series_refused_total"]) == (2, 1, 1)


def test_misplaced_messages_are_counted() -> None:
    """On two partitions a message without the key of its engine is in the wrong place, and applied all the same."""
    memory = Memory(plan_of(Loads(), decode="sensors"), {TOPIC: 2})
    memory.apply(TOPIC, sent(state("e1", "1")))

    found = told(readings(memory.pipelines[:1]))
    assert found["messages_misplaced_total"] == 1


def test_every_message_has_one_outcome() -> None:
    """The outcomes add up to the messages."""
    values = [
        state("e1", "1"),
        b"no",
        state("e1", "x"),
        report("e1", "a", 1),
        report("e1", "a", 1),
        None,
        state("e2", "2"),
    ]
    messages = sent(*values)
    table = list(readings([pipeline([*messages, *messages[:3]])]))

    assert sum(item.value for item in table if item.spec.name == "messages_total") == len(messages) + 3


def test_the_table_names_group_and_partition() -> None:
    """Each number says of which pipeline it is."""
    memory = Memory(plan(), {TOPIC: 2})
    for number in (0, 1):
        memory.apply(TOPIC, [message(TOPIC, 0, state("e1", "1", timestamp="1970-01-01T00:00:00Z"), partition=number)])

    places = {(item.tags["group"], item.tags["partition"]) for item in readings(memory.pipelines)}
    assert ("given", "1") in places
    assert all(set(item.tags) == set(item.spec.tags) for item in readings(memory.pipelines))


def test_there_is_no_stream_time_before_the_first_record() -> None:
    """Zero would be 1970; nothing is told instead."""
    names = {item.spec.name for item in readings([pipeline(sent(b"no"))])}

    assert "stream_time_seconds" not in names
    assert "messages_total" in names


def test_as_metrics_they_say_which_process_and_when() -> None:
    """On the archive topic they are metrics of the workflow `manometer`, at a time that the runner tells."""
    metrics = as_metrics(readings([pipeline(sent(state("e1", "1")))]), 7 * SECOND, "worker-1")
    one = next(item for item in metrics if item.name == "emissions_total")

    assert one == Metric("emissions_total", 7 * SECOND, 1.0, {"workflow": "manometer", "process": "worker-1", **HEADER})
    assert all(item.time == 7 * SECOND and type(item.value) is float for item in metrics)


def test_as_text_a_prometheus_reads_it() -> None:
    """Names, kinds, help and tags come back from the text as they stand in the table."""
    table = list(readings([pipeline(sent(state("e1", "1"), b"no"))]))
    families = {family.name: family for family in text_string_to_metric_families(as_text(table).decode())}

    assert set(families) == {f"manometer_{spec.name.removesuffix('_total')}" for spec in TELEMETRY}
    for spec in TELEMETRY:
        family = families[f"manometer_{spec.name.removesuffix('_total')}"]
        read = {(sample.name, *sorted(sample.labels.items()), sample.value) for sample in family.samples}
        own = [item for item in table if item.spec is spec]
        assert (family.type, family.documentation) == (spec.kind, spec.help)
        assert read == {(f"manometer_{spec.name}", *sorted(item.tags.items()), item.value) for item in own}


def test_as_text_without_pipelines_there_is_still_a_table() -> None:
    """A scrape right after the start gets every name, without numbers."""
    families = list(text_string_to_metric_families(as_text([]).decode()))

    assert len(families) == len(TELEMETRY)
    assert not [family.samples for family in families if family.samples]
