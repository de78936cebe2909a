"""`manometer catalogue`: every metric and alert, for people, pages and programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from archiver.audit_metrics import AUDIT, INCOMPLETE
from engine.notices import OWN_ALERTS
from engine.plugins import builtin_monitors
from engine.telemetry import TELEMETRY
from tests.manometer.commands import WORKFLOW, place, run
from tests.manometer.terminals import seen

ALERTING = WORKFLOW + "alerts:\n  - {alert: TooSlow, when: records_per_second < 1, runbook: value-out-of-bounds}\n"


def every_name() -> set[str]:
    """Name all that our monitors and the engine declare."""
    declared = [spec for monitor in builtin_monitors().values() for spec in monitor.emits]
    return {spec.name for spec in (*declared, *OWN_ALERTS, *TELEMETRY, *AUDIT, INCOMPLETE)}


def test_every_form_has_every_metric_and_alert() -> None:
    """Text, Markdown and JSON list the same names, those of the engine itself among them."""
    text = {line.partition(" ")[0] for line in run("catalogue").stdout.splitlines()}
    markdown = {line[2:].partition(" ")[0] for line in run("catalogue", "--format", "markdown").stdout.splitlines()}
    objects = {item["name"] for item in json.loads(run("catalogue", "--format", "json").stdout)}

    assert every_name() - text == set()
    assert {f"`{name}`" for name in every_name()} - markdown == set()
    assert every_name() == objects


def test_each_has_its_unit_or_severity_and_a_meaning() -> None:
    """An object has what a board or an alert rule is made from."""
    for item in json.loads(run("catalogue", "--format", "json").stdout):
        assert item["help"]
        assert item["unit"] if item["type"] == "metric" else item["severity"] and item["runbook"]


def test_a_workflow_has_the_names_that_it_gives(tmp_path: Path) -> None:
    """With a workflow only its monitors are listed, with the alerts that their options name."""
    place(tmp_path, {"w.yaml": ALERTING})

    found = {
        item["name"]: item for item in json.loads(run("catalogue", "--format", "json", tmp_path / "w.yaml").stdout)
    }

    assert "TooSlow" in found
    assert found["records_per_second"]["monitors"] == ["throughput"]
    assert not {"records_total", "ValueOutOfBounds", "StreamSilent"} & found.keys()


def test_a_narrow_terminal_gets_paragraphs() -> None:
    """Where the table does not fit, the same facts come in lines that do; every name begins a line."""
    shown = seen(["catalogue"], columns=80)

    assert max(map(len, shown.splitlines())) <= 80
    assert every_name() - {line.partition(":")[0] for line in shown.splitlines()} == set()


def test_a_wide_terminal_gets_the_table() -> None:
    """Where it fits, a terminal shows what a pipe gets."""
    assert seen(["catalogue"], columns=400) == run("catalogue").stdout


@pytest.mark.parametrize("text", ["workflow: w\n", "\t"])
def test_a_workflow_with_mistakes_is_refused(tmp_path: Path, text: str) -> None:
    """The findings are told and the exit code is 2: there is nothing to list."""
    place(tmp_path, {"w.yaml": text})

    result = run("catalogue", tmp_path / "w.yaml")

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1] == f"Error: {tmp_path / 'w.yaml'} cannot run; correct what is told above"


GLOW = """\
from engine.catalogue import MetricSpec
from engine.monitor import Monitor


class Glow(Monitor):
    emits = (MetricSpec(name="glow_lumens", kind="gauge", unit="lumens", help="How bright an engine is."),)

    def key(self, record):
        return ()

    def on_record(self, record, state):
        return ()
"""


def test_boards_show_the_metrics_of_own_monitors(tmp_path: Path) -> None:
    """`--boards` writes Grafana's files, with a section for each monitor that only the workflow has."""
    workflow = WORKFLOW.replace("streams:", "plugins: [.]\nstreams:").replace("use: health", "use: glow")
    place(tmp_path, {"glow.py": GLOW, "w.yaml": workflow})

    done = run("catalogue", tmp_path / "w.yaml", "--boards", tmp_path / "boards")

    assert done.exit_code == 0, done.stderr
    assert len(list((tmp_path / "boards").glob("*.json"))) == len(done.stdout.splitlines()) == 4
    shown = (tmp_path / "boards" / "manometer-model.json").read_text(encoding="utf-8")
    assert 'FROM \\"glow_lumens\\"' in shown
    assert 'FROM \\"engine_state\\"' in shown
