"""`manometer monitors`: what can be named in a workflow, from where, in which version; nothing foreign is run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.plugins import builtin_decoders, builtin_monitors
from manometer.cli.plugin_source import told
from tests.manometer.commands import WORKFLOW, place, run
from tests.manometer.terminals import seen

LATENCY = '''\
"""A plugin that must not be run for a list."""

from engine import monitor

__version__ = "2.1"
raise SystemExit("it was run")


class Latency(monitor.Monitor):
    """Measures how long things take.

    More about it.
    """
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a current folder with a workflow that has a plugin folder, and another mistake."""
    workflow = WORKFLOW.replace("streams:", "plugins: [own, lost]\nstreams:").replace("use: health", "use: helth")
    place(tmp_path, {"w.yaml": workflow, "own/latency.py": LATENCY, "own/notes.py": "x = 1\n"})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def listed(*words: str) -> list[dict[str, Any]]:
    """Give the list as a program reads it."""
    return list(json.loads(run("monitors", "--json", *words).stdout))


def test_everything_of_ours_is_listed() -> None:
    """Monitors, then decoders: each with its version, where it is from and what it does."""
    found = listed()
    ours = [one for one in found if one["origin"] == "built in"]

    assert {one["name"] for one in ours if one["kind"] == "monitor"} == builtin_monitors().keys()
    assert {one["name"] for one in ours if one["kind"] == "decoder"} == builtin_decoders().keys()
    assert [one["name"] for one in ours if not one["version"] or not one["help"].endswith(".")] == []
    assert [one["kind"] for one in found] == sorted((one["kind"] for one in found), reverse=True)


def test_the_text_has_a_line_for_each() -> None:
    """People get a table with the same facts."""
    lines = run("monitors").stdout.splitlines()

    assert lines[0].split() == ["kind", "name", "version", "from", "what", "it", "does"]
    assert [line.split()[1] for line in lines[1:]] == [one["name"] for one in listed()]


def test_plugins_of_a_workflow_are_listed_and_not_run(folder: Path) -> None:
    """A plugin folder is looked at, whatever else is wrong with the workflow; other files in it are not listed."""
    (one,) = [one for one in listed("w.yaml") if one["origin"].startswith("own")]

    assert one == {
        "kind": "monitor",
        "name": "latency",
        "version": "2.1",
        "origin": "own/latency.py",
        "help": "Measures how long things take.",
    }


def test_a_narrow_terminal_gets_lines_that_fit() -> None:
    """On 80 columns each plugin is a paragraph."""
    shown = seen(["monitors"], columns=80)

    assert max(map(len, shown.splitlines())) <= 80
    assert "throughput: monitor, built in" in shown


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none.yaml", "none.yaml: cannot be read: no such file or directory"),
        ("list.yaml", "list.yaml is no workflow file"),
    ],
)
def test_a_file_that_is_no_workflow_is_refused(folder: Path, name: str, said: str) -> None:
    """What cannot be read as a workflow file ends with exit code 2 and a sentence."""
    place(folder, {"list.yaml": "- a\n- b\n"})

    result = run("monitors", name)

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1] == f"Error: {said}"


def test_a_source_that_cannot_be_read_says_nothing(tmp_path: Path) -> None:
    """A broken file is still listed; using it tells what is wrong."""
    place(tmp_path, {"broken.py": "class (", "plain.py": "__version__ = version()\n"})

    assert told(tmp_path / "broken.py", "Monitor") == ("", "")
    assert told(tmp_path / "plain.py", "Monitor") == ("", "")
    assert told(tmp_path / "lost.py", "Monitor") == ("", "")
