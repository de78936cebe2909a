from __future__ import annotations

import json
from pathlib import Path

from tests.kafka import cluster
from tests.manometer.commands import run
from tests.manometer.on_kafka import Case, case
from tests.services.secured import Secured


def laid(given: Case, *words: str) -> dict[str, tuple[int | None, bool]]:
    """Run the command; gives the partitions of each topic, and whether it was made."""
    found = json.loads(run("topics", given.path, *given.kafka, "--json", *words).stdout)
    return {one["role"]: (one["partitions"], one["made"]) for one in found["topics"]}


def test_topics_are_made_once_and_are_right(broker: Secured, tmp_path: Path) -> None:
    """Without --create nothing is made; with it all are, a worker takes them, and a second time changes nothing."""
    given = case(broker, tmp_path, create=False)
    before = run("topics", given.path, *given.kafka)
    made = laid(given, "--create", "--partitions", "3")
    again = laid(given, "--create", "--partitions", "9")
    after = run("topics", given.path, *given.kafka)

    assert before.exit_code == 1
    assert before.stdout.count("there is none; `manometer topics --create` makes it") == 4
    assert made == {"input": (3, True), "archive": (1, True), "rejects": (1, True), "state": (3, True)}
    assert again == {role: (count, False) for role, (count, _) in made.items()}
    assert (after.exit_code, "all topics are as they should be" in after.stdout) == (0, True)
    given.work()


def test_what_is_wrong_is_told_and_stays(broker: Secured, tmp_path: Path) -> None:
    """States that are not compacted, an archive that is kept for an hour: two findings, exit code 1."""
    given = case(broker, tmp_path, create=False)
    cluster.create(broker.address, f"{given.plan.workflow}.state", cleanup_policy="delete")
    cluster.create(broker.address, given.plan.archive, retention_ms=3_600_000)
    result = run("topics", given.path, *given.kafka, "--create")

    assert result.exit_code == 1
    findings = [line for line in result.stdout.splitlines() if line.startswith("finding: ")]
    assert [
        words in line for words, line in zip(("cleanup.policy=compact", "keeps messages for 1h"), findings, strict=True)
    ] == [
        True,
        True,
    ]


def test_rights_are_printed_for_each_process(broker: Secured, tmp_path: Path) -> None:
    """As the arguments of kafka-acls."""
    given = case(broker, tmp_path)
    told = run("topics", given.path, *given.kafka).stdout

    assert f"worker: --group manometer.{given.plan.workflow} --operation Read --operation Describe" in told
    assert f"sensors: --topic {given.topic} --operation Write --operation Describe" in told
