"""The options that say where Kafka is: what does not go together is refused before anything is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.kafka.security import Secret, Security
from tests.manometer.commands import WORKFLOW, run


@pytest.fixture
def workflow(tmp_path: Path) -> Path:
    """Write a workflow file."""
    path = tmp_path / "small.yaml"
    path.write_text(WORKFLOW, encoding="utf-8")
    (tmp_path / "password").write_text("secret-word\n", encoding="utf-8")
    (tmp_path / "empty").write_text("\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--kafka localhost", "expected HOST:PORT, got 'localhost'"),
        ("--kafka a:1,b:x", "got 'b:x'"),
        ("--kafka a:1 --security SASL_SSL --user me", "needs --password-file"),
        ("--kafka a:1 --security SASL_SSL --password-file password", "needs --user"),
        ("--kafka a:1 --user me", "does not use --user"),
        ("--kafka a:1 --ca-file password", "does not use --ca-file"),
        ("--kafka a:1 --security SSL --key-file password", "give both"),
        ("--kafka a:1 --security SSL --ca-file nothing", "nothing: no such file"),
        ("--kafka a:1 --security SSL --ca-file password", "password: "),
        ("--kafka a:1 --security SASL_SSL --user me --password-file empty", "got an empty file"),
        ("--kafka a:1 --security SASL_SSL --user me --password-file nothing", "no such file"),
        ("--kafka a:1 --security SASL_PLAINTEXT --user me --password-file password", "--allow-plain-text"),
        ("--kafka 127.0.0.1:1", "Connect call failed"),
    ],
)
def test_what_does_not_go_together_is_told(
    workflow: Path, words: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence that names the option, exit code 2, and never the password."""
    monkeypatch.chdir(workflow.parent)
    result = run("topics", workflow, *words.split())

    assert result.exit_code == 2
    assert told in result.stderr
    assert "secret-word" not in result.output


def test_a_password_is_not_shown() -> None:
    """Neither in an error nor in a log that prints the settings."""
    assert "secret-word" not in repr(Security(user="me", password=Secret("secret-word")))


def test_options_may_come_from_the_environment(workflow: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service file sets them once for all commands."""
    monkeypatch.setenv("MANOMETER_KAFKA", "127.0.0.1:1")
    monkeypatch.setenv("MANOMETER_KAFKA_SECURITY", "SSL")

    assert "127.0.0.1:1" in run("topics", workflow).stderr
