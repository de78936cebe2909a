"""`manometer check`: every mistake on a line of its own, and exit codes that a script can use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.manometer.commands import WORKFLOW, place, run
from tests.manometer.terminals import seen

BAD = WORKFLOW.replace("use: health", "use: helth").replace("topic: notify", "topc: notify")
WARNED = WORKFLOW.replace("monitors:", "  unread: {topic: other, decode: json}\nmonitors:")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a current folder with workflow files of every kind."""
    place(
        tmp_path,
        {
            "good.yaml": WORKFLOW,
            "bad.yaml": BAD,
            "warned.yml": WARNED,
            "good.test.yaml": "tests: []\n",
            "all/a.yaml": WORKFLOW,
            "all/b.json": json.dumps({"workflow": "b"}),
            "all/c.test.yaml": "tests: []\n",
            "all/reference.json": json.dumps({"profile": 1, "records": 0, "fields": {}}),
            "all/.hidden.yaml": "no workflow",
            "all/notes.txt": "no workflow",
            "fine/a.yaml": WORKFLOW,
            "empty/notes.txt": "no workflow",
        },
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["good.yaml"], 0),
        (["fine"], 0),
        (["warned.yml"], 0),
        (["good.yaml", "warned.yml", "fine"], 0),
        (["good.test.yaml"], 0),
        (["bad.yaml"], 1),
        (["good.yaml", "bad.yaml"], 1),
        (["all"], 1),
        (["none.yaml"], 2),
        (["none.yaml", "bad.yaml"], 2),
        (["good.yaml", "empty"], 2),
        ([], 2),
    ],
)
@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_exit_codes(folder: Path, words: list[str], flags: list[str], code: int) -> None:
    """0 without mistakes, warnings or not; 1 with mistakes; 2 where something cannot be read. `--json` changes none."""
    assert run("check", *flags, *words).exit_code == code


def test_a_file_without_findings_says_what_is_in_it(folder: Path) -> None:
    """One line a file, with the number of monitors and streams."""
    result = run("check", "good.yaml", "fine")

    assert result.stdout == ("good.yaml: fine (2 monitors, 1 stream)\nfine/a.yaml: fine (2 monitors, 1 stream)\n")
    assert result.stderr == ""


@pytest.mark.parametrize(("count", "told"), [(1, "1 alert"), (2, "2 alerts")])
def test_alerts_are_counted_by_themselves(folder: Path, count: int, told: str) -> None:
    """An entry of `alerts:` is no monitor to those who wrote it; a `threshold` among the monitors is one."""
    alerts = "".join(f"  - {{alert: Slow{n}, when: records_per_second < {n}}}\n" for n in range(1, count + 1))
    more = "  - {use: threshold, from: metrics, with: {metric: records_per_second, above: 9}}\n"
    text = WORKFLOW.replace("archive:", f"{more}archive:") + f"alerts:\n{alerts}"
    (folder / "alerts.yaml").write_text(text, encoding="utf-8")

    assert run("check", "alerts.yaml").stdout == f"alerts.yaml: fine (3 monitors, {told}, 1 stream)\n"


def test_a_plugin_that_lies_beside_and_is_not_named_is_pointed_at(folder: Path) -> None:
    """With the key that is missing; where the folder is named, or has no such file, nothing is said of it."""
    (folder / "monitors").mkdir()
    (folder / "monitors" / "latency.py").write_text("", encoding="utf-8")
    text = WORKFLOW.replace("use: health", "use: latency")
    (folder / "own.yaml").write_text(text, encoding="utf-8")
    (folder / "named.yaml").write_text(f"{text}plugins: [./monitors]\n", encoding="utf-8")
    (folder / "other.yaml").write_text(text.replace("latency", "other"), encoding="utf-8")
    told = [run("check", name).stdout for name in ("own.yaml", "named.yaml", "other.yaml")]

    assert "latency.py is there, but not named: the file lacks `plugins: [./monitors]`" in told[0]
    assert all('unknown monitor "' in text for text in told)
    assert not any("lacks" in text for text in told[1:])


def test_each_finding_is_a_line_with_its_place(folder: Path) -> None:
    """All kinds come in one run, with file, line and path; nothing else stands on standard output."""
    lines = run("check", "bad.yaml").stdout.splitlines()

    assert [line.partition(": ")[0] for line in lines] == ["bad.yaml:3", "bad.yaml:3", "bad.yaml:6"]
    assert 'Did you mean "topic"?' in "".join(lines)
    assert 'Did you mean "health"?' in "".join(lines)


def test_findings_are_never_wrapped(folder: Path) -> None:
    """On a terminal of 40 columns a finding is still one line, so that editors can jump to it."""
    shown = seen(["check", str(folder / "bad.yaml")], columns=40)

    assert shown == run("check", folder / "bad.yaml").stdout


def test_a_folder_is_its_workflow_files(folder: Path) -> None:
    """Files of tests, hidden files, profiles and others are left out; the rest comes in the order of names."""
    lines = run("check", "all").stdout.splitlines()

    assert lines[0] == "all/a.yaml: fine (2 monitors, 1 stream)"
    assert {line.partition(":")[0] for line in lines[1:]} == {"all/b.json"}


def test_json_that_is_named_or_broken_is_checked(folder: Path) -> None:
    """Only in a folder is JSON without a key of a workflow passed over, and only where it can be read."""
    (folder / "empty" / "broken.json").write_text('{"workflow": ')

    assert run("check", "all/reference.json").exit_code == 1
    assert run("check", "empty").exit_code == 1


def test_a_file_that_is_named_twice_is_checked_once(folder: Path) -> None:
    """`check workflows workflows/a.yaml` tells each file once."""
    assert run("check", "fine", "fine/a.yaml", "./fine/a.yaml").stdout.count("fine/a.yaml") == 1


def test_what_cannot_be_read_does_not_stop_the_rest(folder: Path) -> None:
    """A lost file is a sentence on standard error, the findings of the others are all there."""
    result = run("check", "none.yaml", "bad.yaml", "empty")

    assert result.stdout == run("check", "bad.yaml").stdout
    assert result.stderr == (
        "Error: none.yaml: cannot be read: no such file or directory\n"
        "Error: empty: no workflow file in this folder; expected .yaml, .yml or .json\n"
    )


def test_tests_that_are_named_are_told_to_be_left_out(folder: Path) -> None:
    """`check *.yaml` of a shell names the files of tests too."""
    result = run("check", "good.test.yaml")

    assert (result.stdout, result.stderr) == ("", "good.test.yaml: tests, left out; manometer test runs them\n")


def test_json_has_the_same_findings(folder: Path) -> None:
    """One array of objects with the parts of each line."""
    found = json.loads(run("check", "--json", "good.yaml", "bad.yaml", "warned.yml").stdout)
    lines = run("check", "bad.yaml", "warned.yml").stdout.splitlines()

    assert {frozenset(one) for one in found} == {frozenset({"file", "line", "path", "message", "level"})}
    assert [one["level"] for one in found] == ["error", "error", "error", "warning"]
    assert [f"{one['file']}:{one['line']}: {one['path']}:" for one in found] == [
        line[: len(f"{one['file']}:{one['line']}: {one['path']}:")] for one, line in zip(found, lines, strict=True)
    ]


def test_json_without_findings_is_an_empty_array(folder: Path) -> None:
    """A script can count on an array."""
    assert json.loads(run("check", "--json", "good.yaml").stdout) == []


def test_the_name_of_a_file_cannot_break_a_line(folder: Path) -> None:
    """A line break in a name is written as an escape, in findings, in good news and in errors."""
    place(folder, {"a\nb.yaml": BAD, "c\nd.yaml": WORKFLOW})

    result = run("check", "a\nb.yaml", "c\nd.yaml", "e\nf.yaml")

    assert [line.partition(":")[0] for line in result.stdout.splitlines()] == ["a\\nb.yaml"] * 3 + ["c\\nd.yaml"]
    assert result.stderr.count("\n") == 1
