from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.findings import Finding
from engine.workflow import WorkflowError, check, load

VALID = """\
workflow: lstm
streams:
  notify: {topic: notify, decode: sensors}
  input:
    topic: "${TOPIC:-lstm-input}"
    decode: json
    time: at
    key: [site, id]
    idle_after: off
engines: {05964876-aa92-4a93-b040-faa6abb817f3: lstm}
monitors:
  - {use: throughput, from: notify, with: {counts: total}}
  - use: health
    from: notify
    name: life
    tags: {site: berlin}
    with:
      silent_after: 60s
      leaving: [stopped]
  - {use: threshold, from: input, with: {field: a.b, outside: [1, 2.5]}}
alerts:
  - {alert: EngineDown, when: engine_state >= 2, for: 10m, severity: critical}
archive: {topic: archive}
repeat: 5m
"""
AS_JSON = json.dumps(
    {
        "workflow": "lstm",
        "streams": {"notify": {"topic": "notify", "decode": "sensors"}},
        "monitors": [{"use": "throughput", "from": "notify", "with": {"counts": "total"}}],
        "archive": {"topic": "archive"},
    },
    indent=1,
)
PIECES = [
    *("\t", "&a ", "*a", "!!str ", "<<: ", "{", "}", "[", "]", ": ", "- ", "#", "'", '"', "|", "> ", "? ", ","),
    *("%YAML 1.1\n", "---\n", "...\n", "no", "012", "1:30", "1e3", "1e999", "null", "~", "true", ".nan", "2020-01-01"),
    *("${A}", "${X", "$${", "\\", '"\\U00110000"', '"\\ud800"', "\x85", "\u2028", "\0", "\r", "\r\n", "\n", "  "),
    *("throughput", "metrics", "notify", "threshold", "use", "with", "from", "-1", "[[" * 20, "\u00e9", "\U0001f600"),
]
ENVIRON = {"A": "1"}


def edits() -> st.SearchStrategy[list[tuple[int, int, str]]]:
    """Give a few edits: where, how much goes, and what comes in its place."""
    place = st.integers(0, len(VALID))
    return st.lists(st.tuples(place, st.integers(0, 30), st.sampled_from(PIECES) | st.just("")), min_size=1, max_size=5)


def edited(text: str, changes: list[tuple[int, int, str]]) -> str:
    """Edit a text."""
    for place, length, piece in changes:
        start = place % (len(text) + 1)
        text = text[:start] + piece + text[start + length :]
    return text


def examined(path: Path, data: bytes) -> list[Finding]:
    """Check and load a file; every promise about findings is looked at here."""
    path.write_bytes(data)
    found = check(path, environ=ENVIRON)
    lines = max(1, data.count(b"\n") + (not data.endswith(b"\n")))

    assert all(1 <= finding.line <= lines for finding in found)
    assert all(str(finding).isprintable() for finding in found)
    assert all(finding.message and finding.path for finding in found)
    assert [finding.line for finding in found] == sorted(finding.line for finding in found)
    if any(finding.level == "error" for finding in found):
        with pytest.raises(WorkflowError) as caught:
            load(path, environ=ENVIRON)
        assert caught.value.findings == found
    else:
        assert load(path, environ=ENVIRON).workflow
    return found


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the place of a workflow file."""
    return tmp_path_factory.mktemp("any") / "lstm.yaml"


def test_the_files_that_are_edited_are_right(path: Path) -> None:
    """What goes wrong below comes from the edits."""
    assert examined(path, VALID.encode()) == []
    assert examined(path, AS_JSON.encode()) == []


@given(data=st.binary())
def test_any_bytes_are_a_plan_or_findings(path: Path, data: bytes) -> None:
    """No file makes the loader fail in another way than with findings in the file."""
    examined(path, data)


@given(changes=edits())
def test_any_edit_of_a_workflow_is_a_plan_or_findings(path: Path, changes: list[tuple[int, int, str]]) -> None:
    """A file that is nearly right gives a plan, or findings in the file."""
    examined(path, edited(VALID, changes).encode("utf-8", "surrogatepass"))


@given(changes=edits())
def test_any_edit_of_a_workflow_in_json_is_a_plan_or_findings(path: Path, changes: list[tuple[int, int, str]]) -> None:
    """What is nearly JSON is read as JSON or as YAML, and never fails in another way."""
    text = edited(AS_JSON, changes).encode("utf-8", "surrogatepass")
    examined(path, text)
    examined(path.with_suffix(".json"), text)


KEYS = st.sampled_from(
    ["workflow", "streams", "monitors", "alerts", "archive", "topic", "decode", "use", "from", "with"]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.sampled_from(PIECES) | st.text()
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(), inner, max_size=4)
)


@given(parts=st.dictionaries(KEYS, VALUES, max_size=4))
def test_any_values_under_any_keys_are_a_plan_or_findings(path: Path, parts: dict[str, Any]) -> None:
    """Values of any type in any place are findings, not failures."""
    examined(path, json.dumps(json.loads(AS_JSON) | parts, indent=1).encode())


LARGE = {
    "brackets": "[" * 300_000,
    "dashes": "- " * 150_000,
    "members": "a: [" + "x," * 150_000,
    "duplicates": "a: 1\n" * 60_000,
    "digits": "a: " + "1" * 300_000,
    "underscores": "a: 1" + "_" * 300_000 + "x",
    "key": "a" * 300_000 + ": b",
    "variables": "a: " + "${A}" * 75_000,
    "tabs": "a:\n" + "\t- b\n" * 60_000,
    "tag": "!" * 300_000,
    "unknown": VALID.replace("alerts:", "".join(f"  - {{use: m{i}, from: s{i}}}\n" for i in range(300)) + "alerts:"),
}


@pytest.mark.parametrize("name", LARGE)
def test_a_large_file_ends_with_few_findings(path: Path, name: str) -> None:
    """Files made to be slow or deep end soon, with a bounded number of short findings."""
    found = examined(path, LARGE[name].encode())

    assert 1 <= len(found) <= 501
    assert max(len(str(finding)) for finding in found) < 4_000
