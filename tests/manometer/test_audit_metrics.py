from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from archiver.audit_metrics import AUDIT
from archiver.reconciliation import Covered
from engine.coverage import Part
from engine.embedded.checkpoint import Checkpoint
from engine.embedded.store import Store
from engine.events import Alert, Emission, Metric, decode_emissions, encode_array
from engine.plan import Plan
from engine.workflow import load
from manometer.audit import Audit, SinkSeen
from manometer.audit_telling import emissions
from tests.archiver.followed import emissions_of, publish, topics_of
from tests.kafka import cluster
from tests.manometer.commands import WORKFLOW, run
from tests.manometer.test_cli_audit import archived
from tests.services.broker import Broker

ALERT = "ArchiveIncomplete"


def told(broker: Broker, plan: Plan) -> Iterator[Emission]:
    """Give what audits put onto the archive topic."""
    for message in cluster.messages(broker.address, plan.archive):
        if (b"telemetry") in dict(message.headers).values():
            yield from decode_emissions(message.value or b"")


def numbers(found: list[Emission]) -> dict[str, float]:
    """Give metrics by name and what tells them apart."""
    rest = {"workflow", "process", "of", "topic", "partition", "group"}
    return {
        " ".join([one.name, *(text for name, text in one.tags.items() if name not in rest)]): one.value
        for one in found
        if isinstance(one, Metric)
    }


def test_a_gap_is_told_by_metrics_and_an_alert_until_it_is_no_more(broker: Broker, tmp_path: Path) -> None:
    """Firing once, then only repeated; the audit that finds nothing resolves it, and the next says nothing of it."""
    plan, path = topics_of(broker, tmp_path)
    archived(broker, plan, tmp_path, emissions_of(plan, 100))
    publish(broker, plan, emissions_of(plan, 9, since=101), since=3)
    words = ("audit", path, "--kafka", broker.address)
    codes = [run(*words, "--metrics").exit_code, run(*words).exit_code, run(*words, "--metrics").exit_code]
    first = list(told(broker, plan))
    publish(broker, plan, [], [], since=1)
    codes += [run(*words, "--metrics").exit_code, run(*words, "--metrics").exit_code]
    alerts = [one for one in told(broker, plan) if isinstance(one, Alert)]

    assert codes == [1, 1, 1, 0, 0]
    assert numbers(first[:9]) == {
        "audit_findings": 1,
        "audit_offsets covered": 2,
        "audit_offsets missing": 2,
        "audit_offsets repeated": 0,
        "audit_emissions sqlite written": 101,
        "audit_emissions sqlite rejected": 0,
        "audit_emissions sqlite expired": 0,
        "audit_emissions sqlite pending": 9,
    }
    assert [(one.name, one.firing, one.repeat, one.value) for one in alerts] == [
        (ALERT, True, False, 1),
        (ALERT, True, True, 1),
        (ALERT, False, False, 0),
    ]
    assert "offsets 1 to 2 are not in the archive" in alerts[0].summary
    assert alerts[0].evidence == {"findings": [alerts[0].summary]}
    assert alerts[0].tags == alerts[2].tags == {"workflow": plan.workflow, "monitor": "audit"}


@pytest.mark.parametrize(("count", "summary"), [(1, "one is wrong"), (3, "one is wrong, and 2 more")])
def test_a_summary_has_the_first_finding_and_how_many_more(count: int, summary: str) -> None:
    """All of them, up to twenty, are the evidence; what nobody knows becomes no metric."""
    sink = SinkSeen(name="s", read=None, written=None, rejected=None, expired=None, pending=2, points=7)
    covered = Covered(group="g", topic="t", partition=1, first=0, last=9, offsets=5, gaps=((3, 3), (5, 8)), repeats=2)
    audit = Audit(
        workflow="w", coverage=[covered], emissions=2, points=7, sinks=[sink], findings=["one is wrong"] * count
    )
    *metrics, alert = emissions(audit, 7)

    assert isinstance(alert, Alert)
    assert (alert.summary, len(alert.evidence["findings"] if alert.evidence else ())) == (summary, count)
    assert numbers(metrics) == {
        "audit_findings": count,
        "audit_offsets covered": 5,
        "audit_offsets missing": 5,
        "audit_offsets repeated": 2,
        "audit_emissions s pending": 2,
        "audit_points s": 7,
    }
    assert {one.name for one in metrics} == {spec.name for spec in AUDIT}


def test_an_audit_that_finds_nothing_and_never_did_has_no_alert() -> None:
    """So cron does not fill the history of alerts."""
    audit = Audit(workflow="w", coverage=[], emissions=0, points=None, sinks=[], findings=[])

    assert [one.name for one in emissions(audit, 7)] == ["audit_findings"]


def test_a_collector_of_files_reads_the_result(tmp_path: Path) -> None:
    """The same metrics as text, of an embedded process too; the file is replaced whole."""
    path = tmp_path / "w.yaml"
    path.write_text(WORKFLOW, encoding="utf-8")
    store = Store(tmp_path / "data")
    parts = [
        Part(group="notify", topic="notify", first=n, last=n, data=encode_array(emissions_of(load(path), 5)))
        for n in (0, 2)
    ]
    store.checkpoint(Checkpoint(workflow="small", topics={"notify": 3}, parts=parts))
    store.close()
    file = tmp_path / "audit.prom"
    file.write_text("what was there\n", encoding="utf-8")
    done = run("audit", path, "--data", tmp_path / "data", "--prometheus-file", file)
    families = {one.name: one for one in text_string_to_metric_families(file.read_text(encoding="utf-8"))}

    assert done.exit_code == 1
    assert set(families) == {f"manometer_{spec.name}" for spec in AUDIT}
    (finding,) = families["manometer_audit_findings"].samples
    assert (finding.labels, finding.value) == ({"of": "small"}, 1)
    offsets = {one.labels["outcome"]: one.value for one in families["manometer_audit_offsets"].samples}
    assert offsets == {"covered": 2, "missing": 1, "repeated": 0}
    assert sorted(one.name for one in tmp_path.iterdir()) == ["audit.prom", "data", "w.yaml"]


def test_what_cannot_be_told_is_said(tmp_path: Path) -> None:
    """In one process there is no topic to tell it on; a folder that is not there is named."""
    path = tmp_path / "w.yaml"
    path.write_text(WORKFLOW, encoding="utf-8")
    Store(tmp_path / "data").close()
    topic = run("audit", path, "--data", tmp_path / "data", "--metrics")
    nowhere = run("audit", path, "--data", tmp_path / "data", "--prometheus-file", tmp_path / "no" / "a.prom")

    assert (topic.exit_code, nowhere.exit_code) == (2, 2)
    assert "--metrics belongs to --kafka" in topic.stderr
    assert "no such file or directory" in nowhere.stderr
