"""`manometer test`: what passes, what fails, what cannot run, and exit codes that a script can use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.manometer.commands import WORKFLOW, place, run

PASSES = """\
tests:
  - name: an engine that runs is running
    given:
      - notify: {type: engine-state, timestamp: "2026-01-01T00:00:00Z", src: e1, state: running}
    expect:
      - {metric: engine_state, value: 1}
"""
FAILS = PASSES + PASSES.partition("\n")[2].replace("value: 1", "value: 2").replace(
    "an engine", '"an engine\\n'
).replace("is running", 'is running"')
CAME = (
    '{"type":"metric","name":"engine_state","time":1767225600.0,"value":1.0,'
    '"tags":{"workflow":"small","monitor":"health","model":"e1","engine":"e1"}}'
)
FAILED = r"""fails.test.yaml:7: FAILED an engine\n that runs is running
  missing:    {"metric":"engine_state","value":2.0}
    there is: CAME
  unexpected: CAME
fails.test.yaml: 1 passed, 1 failed
""".replace("CAME", CAME)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a current folder with workflows and tests of every kind."""
    files = {
        "passes.test.yaml": PASSES,
        "fails.test.yaml": FAILS,
        "broken.test.yaml": PASSES.replace("notify:", "notfy:") + "    more: 1\n",
        "wrong.test.yaml": PASSES,
        "all/passes.test.yaml": PASSES,
        "all/passes.yaml": WORKFLOW,
        "all/untested.yaml": WORKFLOW,
        "empty/notes.txt": "",
    }
    files |= {f"{name}.yaml": WORKFLOW for name in ("passes", "fails", "broken", "untested")}
    place(tmp_path, files | {"wrong.yaml": WORKFLOW.replace("use: health", "use: helth")})
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["passes.yaml"], 0),
        (["untested.yaml"], 0),
        (["all"], 0),
        (["passes.yaml", "all"], 0),
        (["fails.yaml"], 1),
        (["fails.yaml", "passes.yaml"], 1),
        (["broken.yaml"], 2),
        (["wrong.yaml"], 2),
        (["none.yaml"], 2),
        (["empty"], 2),
        (["fails.yaml", "broken.yaml"], 2),
        ([], 2),
    ],
)
@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_exit_codes(folder: Path, words: list[str], flags: list[str], code: int) -> None:
    """0 where all pass; 1 where a test fails; 2 where a file cannot be read. `--json` changes none."""
    assert run("test", *flags, *words).exit_code == code


def test_what_passes_is_one_line_a_file(folder: Path) -> None:
    """On standard output, and nothing on standard error."""
    result = run("test", "passes.yaml", "all/passes.yaml")

    assert (result.stdout, result.stderr) == ("passes.test.yaml: 1 passed\nall/passes.test.yaml: 1 passed\n", "")


def test_what_fails_is_told_with_file_and_line(folder: Path) -> None:
    """Each test that fails, what is wrong with it, and the count; whatever stands in a name, it is one line."""
    result = run("test", "fails.yaml")

    assert (result.stdout, result.stderr) == (FAILED, "")


def test_as_json_every_test_is_an_object(folder: Path) -> None:
    """Those that pass have nothing in `wrong`; a file that cannot run is told on standard error, the others go on."""
    result = run("test", "--json", "passes.yaml", "fails.yaml", "broken.yaml", "untested.yaml")
    found = json.loads(result.stdout)

    assert [(one["file"], one["line"], len(one["wrong"])) for one in found] == [
        ("passes.test.yaml", 2, 0),
        ("fails.test.yaml", 2, 0),
        ("fails.test.yaml", 7, 3),
    ]
    assert found[2]["name"] == "an engine\n that runs is running"
    assert result.stderr.splitlines()[-1] == "Error: broken.test.yaml cannot run; correct what is told above"


def test_as_json_nothing_is_an_empty_array(folder: Path) -> None:
    """So that a script may read it always."""
    assert json.loads(run("test", "--json", "untested.yaml").stdout) == []


def test_mistakes_in_the_tests_are_findings(folder: Path) -> None:
    """As `check` tells them of workflow files, all at once."""
    result = run("test", "broken.yaml")

    assert result.stdout == ""
    assert [line.partition(": ")[0] for line in result.stderr.splitlines()] == ["broken.test.yaml:7", "Error"]


def test_a_workflow_without_tests_is_told(folder: Path) -> None:
    """It is no failure, and not passed over in silence."""
    result = run("test", "all")

    assert result.stdout == "all/passes.test.yaml: 1 passed\n"
    assert result.stderr == "all/untested.yaml: no tests; untested.test.yaml beside it would hold them\n"


def test_mistakes_in_the_workflow_are_told_before_its_tests_run(folder: Path) -> None:
    """With file and line; the tests beside it do not run."""
    result = run("test", "wrong.yaml")

    assert result.stdout == ""
    assert result.stderr.startswith("wrong.yaml:6: monitors[1].use: ")


def test_a_file_of_tests_stands_for_its_workflow(folder: Path) -> None:
    """Whoever names it, alone or beside the workflow as a shell does for `*.yaml`, has its tests run once."""
    place(folder, {"lost.test.yaml": PASSES})

    for words in (["passes.test.yaml"], ["passes.test.yaml", "passes.yaml"]):
        assert run("test", *words).stdout == "passes.test.yaml: 1 passed\n"
    assert run("test", "lost.test.yaml").stderr == "Error: lost.yaml: cannot be read: no such file or directory\n"
