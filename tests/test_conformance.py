"""The numbers are right: streams whose truth is known go through the command, and the suite's own program compares."""

from __future__ import annotations

import gzip
import json
import os
import runpy
from pathlib import Path
from typing import Any, Final

import pytest

from tests.manometer.commands import counts, run

SHARED: Final = Path(os.environ.get("MANOMETER_SHARED_DATA") or Path(__file__).parents[2] / "shared" / "data")
SUITE: Final = SHARED / "sensor-conformance"
COUNTING: Final = ("throughput", "record_count", "rejected_records")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test of each case; one that skips where there is none."""
    if "case" in metafunc.fixturenames:
        found: list[Path | None] = [path.parent for path in sorted(SUITE.glob("*/case.json"))]
        cases = found or [None]
        metafunc.parametrize("case", cases, ids=["missing" if case is None else case.name for case in cases])


def given(case: Path | None) -> Path:
    """Give the case; without the shared data the test skips, and in CI it fails."""
    if case is not None:
        return case
    sentence = f"there is no {SUITE}: set MANOMETER_SHARED_DATA to the folder that holds sensor-conformance"
    if os.environ.get("CI") == "true":
        pytest.fail(sentence)
    pytest.skip(sentence)


def workflow(info: dict[str, Any]) -> dict[str, Any]:
    """Write the workflow that a case asks for."""
    options = info["options"]
    reading = [{"use": name, "from": "notify", "with": {"counts": options["counts"]}} for name in COUNTING]
    health = {"use": "health", "from": "notify", "with": {"silent_after": options["silent_after"]}}
    return {
        "workflow": "conformance",
        "streams": {"notify": {"topic": "notify", "decode": "sensors"}},
        "engines": info["engines"],
        "monitors": [*reading, {"use": "resources", "from": "notify"}, health],
        "archive": {"topic": "archive"},
    }


def test_a_case_gives_what_it_expects(case: Path | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every expected emission is there with its time, tags and value, nothing else is, and the rejects are as many."""
    folder = given(case)
    info = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    (tmp_path / "workflow.json").write_text(json.dumps(workflow(info)), encoding="utf-8")
    actual = tmp_path / "actual.jsonl"

    result = run(
        "replay", tmp_path / "workflow.json", "--input", f"notify={folder / 'messages.jsonl.gz'}", "--out", actual
    )
    assert result.exit_code == 0, result.stderr
    compare = runpy.run_path(str(SUITE / "check.py"))["main"]
    differs = compare(["check.py", str(folder), str(actual), "--rejects", str(counts(result.stderr)["rejects"])])

    assert differs == 0, capsys.readouterr().out


def test_the_program_that_compares_sees_a_difference(
    case: Path | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without its first expected emission a result fails, so a pass means something."""
    folder = given(case)
    lines = gzip.decompress((folder / "expected.jsonl.gz").read_bytes()).splitlines(keepends=True)
    (tmp_path / "less.jsonl").write_bytes(b"".join(lines[1:]))
    compare = runpy.run_path(str(SUITE / "check.py"))["main"]

    assert compare(["check.py", str(folder), str(tmp_path / "less.jsonl")]) == 1
    assert "missing:" in capsys.readouterr().out
