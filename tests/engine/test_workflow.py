from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from engine.decoders.sensors import Sensors
from engine.findings import Finding
from engine.plan import Plan
from engine.times import DAY, HOUR, MINUTE, SECOND
from engine.workflow import WorkflowError, check, load

FULL = """\
workflow: lstm
plugins: [./plugins]
streams:
  notify:      {topic: notify, decode: sensors}
  input:
    {topic: lstm-input, decode: json, time: at, unit: ms, zone: Europe/Berlin, key: [site, id], schema: input.json}
  truth:
    topic: lstm-truth
    decode: json
    repartition: one
    idle_after: off
    ahead: 2h
    lateness: 500ms
engines:
  05964876-aa92-4a93-b040-faa6abb817f3: lstm
monitors:
  - {use: throughput, from: notify, with: {counts: total}}
  - {use: resources, from: notify}
  - use: health
    from: notify
    name: life
    with: {silent_after: 90}
    tags: {site: berlin}
    forget_after: off
    max_series: 10
  - {use: wind, from: input, with: {speeds: [1, 2.5]}}
  - {use: wind, from: truth, name: wind_of_truth, with: }
alerts:
  - {alert: CpuSaturated, when: cpu_utilization > 0.9, for: 10m, severity: critical, runbook: cpu-saturated}
  - {alert: EngineDown, when: engine_state >= 2, tags: {team: night}}
archive: {topic: emissions}
rejects: {topic: letters}
repeat: 5m
"""

WIND = """\
from pydantic import Field

from engine.monitor import Monitor, MonitorOptions


class Wind(Monitor):
    class Options(MonitorOptions):
        speeds: tuple[float, ...] = Field((), description="Speeds.")

    scope = "stream"
    reads = dict
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with a plugin and a schema."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "wind.py").write_text(WIND, encoding="utf-8")
    (tmp_path / "input.json").write_text('{"type": "object"}', encoding="utf-8")
    return tmp_path


def write(folder: Path, text: str, name: str = "lstm.yaml") -> Path:
    """Write a workflow file."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def loaded(folder: Path, text: str, **environ: str) -> Plan:
    """Load a workflow file from a text."""
    return load(write(folder, text), environ=environ)


def by_name(plan: Plan) -> dict[str, Any]:
    """Give the attached monitors by their names."""
    return {attached.name: attached for attached in plan.monitors}


def test_a_workflow_becomes_a_plan(folder: Path) -> None:
    """Names, topics, engines and the file's hash are in the plan."""
    plan = loaded(folder, FULL)

    assert (plan.workflow, plan.archive, plan.rejects, plan.repeat) == ("lstm", "emissions", "letters", 5 * MINUTE)
    assert plan.engines == {"05964876-aa92-4a93-b040-faa6abb817f3": "lstm"}
    assert plan.hash == hashlib.sha256(FULL.encode()).hexdigest()
    assert check(folder / "lstm.yaml") == []


def test_streams_have_what_the_file_says_and_defaults(folder: Path) -> None:
    """Decoders are made with their settings; durations are microseconds."""
    notify, given, truth = loaded(folder, FULL).streams.values()

    assert isinstance(notify.decoder, Sensors)
    assert (notify.name, notify.topic, notify.decode, notify.gives_time) == ("notify", "notify", "sensors", True)
    assert (notify.key, notify.repartition) == ((), None)
    assert (notify.idle_after, notify.ahead, notify.lateness) == (5 * SECOND, HOUR, 10 * SECOND)
    settings = given.decoder.settings
    assert (settings.time, settings.unit, settings.zone) == ("at", "ms", "Europe/Berlin")
    assert (settings.key, settings.schema) == (("site", "id"), {"type": "object"})
    assert given.key == ("site", "id")
    assert (truth.repartition, truth.idle_after, truth.ahead, truth.lateness) == ("one", None, 2 * HOUR, SECOND // 2)


def test_monitors_are_made_with_their_options(folder: Path) -> None:
    """Names default to `use`; lists become tuples and whole numbers become floats; durations may be numbers."""
    attached = by_name(loaded(folder, FULL))

    assert list(attached) == ["throughput", "resources", "life", "wind", "wind_of_truth", "CpuSaturated", "EngineDown"]
    assert attached["throughput"].monitor.options.counts == "total"
    assert attached["life"].monitor.options.silent_after == 90 * SECOND
    assert attached["wind"].monitor.options.speeds == (1.0, 2.5)
    assert attached["wind_of_truth"].monitor.options.speeds == ()
    assert (attached["life"].use, attached["life"].tags) == ("health", {"site": "berlin"})
    assert attached["wind"].sources == {"input": "input"}


def test_series_are_forgotten_by_default_except_those_of_a_whole_stream(folder: Path) -> None:
    """`forget_after` is seven days; monitors of scope `stream` keep their series, unless the file says otherwise."""
    attached = by_name(loaded(folder, FULL))

    assert attached["throughput"].forget_after == 7 * DAY
    assert attached["throughput"].max_series == 1_000_000
    assert (attached["life"].forget_after, attached["life"].max_series) == (None, 10)
    assert attached["wind"].forget_after is None
    told = by_name(loaded(folder, FULL.replace("from: input,", "from: input, forget_after: 1h,")))
    assert told["wind"].forget_after == HOUR


def test_alerts_become_thresholds_on_metrics(folder: Path) -> None:
    """Each entry of `alerts:` is a monitor named like the alert, with the options that its condition stands for."""
    attached = by_name(loaded(folder, FULL))
    cpu, down = attached["CpuSaturated"], attached["EngineDown"]

    assert (cpu.use, cpu.sources, cpu.tags) == ("threshold", {"metrics": "metrics"}, {})
    options = cpu.monitor.options
    assert (options.metric, options.above, options.inclusive, options.for_) == (
        "cpu_utilization",
        0.9,
        False,
        10 * MINUTE,
    )
    assert (options.alert, options.severity, options.runbook) == ("CpuSaturated", "critical", "cpu-saturated")
    assert (down.monitor.options.above, down.monitor.options.inclusive) == (2.0, True)
    assert down.monitor.options.runbook == "value-out-of-bounds"
    assert down.tags == {"team": "night"}


@pytest.mark.parametrize(
    ("when", "above", "below", "inclusive"),
    [
        ("cpu_utilization > 1e-1", 0.1, None, False),
        ("cpu_utilization>=1", 1.0, None, True),
        (" cpu_utilization  <  -2.5 ", None, -2.5, False),
        ("cpu_utilization <= 0", None, 0.0, True),
    ],
)
def test_each_comparison_has_its_option(
    folder: Path, when: str, above: float | None, below: float | None, *, inclusive: bool
) -> None:
    """The four comparisons become above or below, with the bound counted in or not."""
    plan = loaded(folder, FULL.replace("cpu_utilization > 0.9", f"'{when}'"))
    options: Any = by_name(plan)["CpuSaturated"].monitor.options

    assert (options.above, options.below, options.inclusive) == (above, below, inclusive)


def test_a_threshold_knows_which_metrics_hold(folder: Path) -> None:
    """A metric that holds its value counts until the next; one that does not becomes stale."""
    attached = by_name(loaded(folder, FULL))

    assert attached["EngineDown"].monitor.metric_holds
    assert not attached["CpuSaturated"].monitor.metric_holds


def test_the_same_workflow_may_be_json(folder: Path) -> None:
    """A file in JSON gives the same plan, whatever its name ends with."""
    text = json.dumps(
        {
            "workflow": "lstm",
            "streams": {"notify": {"topic": "notify", "decode": "sensors"}},
            "monitors": [{"use": "health", "from": "notify", "with": {"silent_after": 1.5e1}}],
            "archive": {"topic": "archive"},
        },
        indent="\t",
    )

    for name in ("lstm.json", "lstm.yaml"):
        plan = load(write(folder, text, name))
        assert by_name(plan)["health"].monitor.options.silent_after == 15 * SECOND
        assert plan.rejects == "rejects"


def test_variables_of_the_environment_take_the_type_of_their_place(folder: Path) -> None:
    """One variable alone is a number where a number is wanted and text where text is; the rest is text."""
    text = FULL.replace("topic: notify", 'topic: "${TOPIC}"').replace("silent_after: 90", 'silent_after: "${WAIT:-2}"')
    text = text.replace("site: berlin", 'site: "${SITE}"').replace("[1, 2.5]", '["${SPEED}", 3]')
    plan = loaded(folder, text, TOPIC="12", SITE="012", SPEED="7")
    attached = by_name(plan)

    assert plan.streams["notify"].topic == "12"
    assert attached["life"].tags == {"site": "012"}
    assert attached["life"].monitor.options.silent_after == 2 * SECOND
    assert attached["wind"].monitor.options.speeds == (7.0, 3.0)


def test_variables_come_from_the_process_where_no_others_are_given(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without `environ` the environment of the process counts."""
    monkeypatch.setenv("ARCHIVE_TOPIC", "there")
    path = write(folder, FULL.replace("topic: emissions", 'topic: "${ARCHIVE_TOPIC}"'))

    assert load(path).archive == "there"


def test_a_key_without_a_value_is_left_out(folder: Path) -> None:
    """`alerts:` with nothing after it is as if it did not stand there."""
    text = FULL[: FULL.index("alerts:")] + "alerts:\narchive: {topic: archive}\nrepeat:\n"
    plan = loaded(folder, text)

    assert len(plan.monitors) == 5
    assert plan.repeat is None


def test_an_error_carries_all_findings(folder: Path) -> None:
    """`load` raises with the findings that `check` gives, and its text has one line for each."""
    path = write(folder, FULL.replace("counts: total", "counts: totl").replace("critical", "bad"))
    with pytest.raises(WorkflowError) as caught:
        load(path)

    assert caught.value.findings == check(path)
    assert str(caught.value).splitlines() == [str(finding) for finding in check(path)]
    assert len(caught.value.findings) == 2


def test_warnings_do_not_stop_a_workflow(folder: Path) -> None:
    """A stream that nobody reads, or a setting without effect, is told and the plan is made."""
    path = write(folder, FULL.replace("decode: sensors}", "decode: sensors, time: timestamp}"))
    findings = check(path)

    assert [finding.level for finding in findings] == ["warning"]
    assert str(findings[0]).startswith(f"{path}:4: streams.notify.time: warning: decode: sensors takes the time")
    assert load(path).streams["notify"].decoder.settings.time is None


def test_a_file_is_named_as_it_was_given(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path stays relative in findings, also in those about other files."""
    monkeypatch.chdir(folder)
    write(folder, FULL.replace("input.json", "nothing.json").replace("./plugins", "./nothing"))
    found = [str(finding) for finding in check(Path("lstm.yaml"))]

    assert found[0] == "lstm.yaml:2: plugins[0]: there is no folder nothing"
    assert found[1].startswith("lstm.yaml:6: streams.input.schema: cannot read nothing.json: ")


def test_a_finding_is_one_line_whatever_stands_in_it() -> None:
    """Line breaks, control characters and half characters of names and messages are escaped."""
    finding = Finding("a\nb.yaml", 3, "x", "got \x1b[31m\u2028\udc80", level="warning")

    assert str(finding) == "a\\nb.yaml:3: x: warning: got \\x1b[31m\\u2028\\udc80"


def test_our_own_monitors_may_be_a_plugin_folder(folder: Path) -> None:
    """A workflow in the checkout may name the folder monitors/ itself."""
    text = FULL.replace("[./plugins]", f"[./plugins, {json.dumps(str(Path('monitors').resolve()))}]")

    assert loaded(folder, text).workflow == "lstm"


def test_a_plugin_named_like_one_of_ours_is_a_finding(folder: Path) -> None:
    """A workflow that names it is told which file has to be called otherwise."""
    (folder / "plugins" / "throughput.py").write_text(WIND, encoding="utf-8")
    found = check(write(folder, FULL))

    assert [finding.path for finding in found] == ["monitors[0].use"]
    assert "throughput.py has the name of our own monitor" in found[0].message
