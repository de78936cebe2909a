"""The rights that `manometer topics` prints are enough, and the ways to prove who one is work."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

import pytest

from engine.kafka.clients import Kafka, KafkaError
from engine.kafka.layout import Right, rights
from engine.kafka.security import Secret, Security
from engine.kafka.worker import Worker
from tests.kafka import cluster
from tests.kafka.working import saved, work
from tests.manometer.commands import run
from tests.manometer.on_kafka import BAD, GOOD, Case, case
from tests.services.secured import USERS, Secured


def give(broker: Secured, given: Iterable[Right]) -> None:
    """Give processes, which are users of the same name, their rights."""
    for one in given:
        wanted = [(one.kind, one.name, operation) for operation in one.operations]
        broker.allow(one.process, wanted, prefixed=one.prefixed)


def words(broker: Secured, user: str) -> tuple[str | Path, ...]:
    """Give the options of a user over TLS."""
    secret = broker.password_file(user)
    where = ("--kafka", broker.sasl_ssl, "--security", "SASL_SSL")
    return (*where, "--user", user, "--password-file", secret, "--ca-file", broker.certificate)


@pytest.fixture
def given(broker: Secured, tmp_path: Path) -> Case:
    """Give a workflow with topics and messages, one of them a reject."""
    found = case(broker, tmp_path)
    found.write(*GOOD, BAD)
    return found


def test_the_rights_that_are_printed_are_enough_for_a_worker(broker: Secured, given: Case) -> None:
    """Without them it does not start; with them it reads, writes, checkpoints and commits."""
    security = Security(
        protocol="SASL_SSL", user="worker", password=Secret(USERS["worker"]), ca_file=str(broker.certificate)
    )
    kafka = Kafka(broker.sasl_ssl, security)
    with pytest.raises(KafkaError, match="Describe is not allowed"):
        asyncio.run(work(Worker(given.plan, kafka), lambda: False))
    give(broker, rights(given.plan))
    worker = Worker(given.plan, kafka)
    asyncio.run(work(worker, lambda: saved(worker, {(given.topic, 0): 4})))

    assert cluster.committed(broker.address, given.plan, given.topic) == 4
    assert len(cluster.rejects(broker.address, given.plan)) == 1
    assert cluster.emissions(cluster.archive(broker.address, given.plan))


def test_an_operator_may_do_what_operators_do(broker: Secured, given: Case, tmp_path: Path) -> None:
    """Each command over TLS with a password; one whose rights are missing says which."""
    told = run("doctor", given.path, *words(broker, "operator"))
    given.work()
    give(broker, rights(given.plan))
    who = words(broker, "operator")
    codes = [
        run("topics", given.path, *who).exit_code,
        run("state", given.path, *who).exit_code,
        run("rejects", "retry", given.path, "--all", *who).exit_code,
        run("record", given.path, "--until-end", "--out", tmp_path / "rec", *who).exit_code,
        run("doctor", given.path, *who).exit_code,
    ]

    assert (told.exit_code, "Describe is not allowed" in told.stdout) == (1, True)
    assert codes == [0, 0, 0, 0, 1]  # no worker runs


def test_a_password_in_plain_text_has_to_be_allowed_by_name(broker: Secured, given: Case) -> None:
    """Then SASL_PLAINTEXT works, by SCRAM as by PLAIN; a wrong password is told as such."""
    give(broker, rights(given.plan))
    who = ("--kafka", broker.sasl, "--security", "sasl_plaintext", "--user", "operator", "--allow-plain-text")
    right, wrong = broker.password_file("operator"), broker.password_file("worker")

    assert run("topics", given.path, *who, "--password-file", right).exit_code == 0
    assert run("topics", given.path, *who, "--password-file", right, "--mechanism", "plain").exit_code == 0
    refused = run("topics", given.path, *who, "--password-file", wrong)
    assert (refused.exit_code, "uthentication failed" in refused.stderr) == (2, True), refused.stderr
