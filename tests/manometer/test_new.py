"""`manometer new`: what it writes works at once, for a newcomer with nothing but the command."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from engine.plugins import available_monitors
from manometer.cli.new import find_checkout
from manometer.generated import outdated
from tests.docs.console import make_checkout
from tests.house.source import ROOT
from tests.manometer.commands import place, run

PROJECT: Final = '[project]\nname = "manometer"\n'


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a copy of the checkout in which `manometer new monitor freshness` was called, below its root."""
    folder = tmp_path_factory.mktemp("work") / "check out"
    folder.mkdir()
    make_checkout(folder)
    before = digests(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder / "docs")
        result = run("new", "monitor", "freshness")
    written = digests(folder).items() - before.items()
    assert {name for name, _ in written} == set(WRITTEN)
    assert before.items() <= digests(folder).items(), "a file that was there has changed"
    assert [line.rpartition("/")[2] for line in result.stdout.splitlines()] == [Path(name).name for name in WRITTEN]
    return folder


WRITTEN: Final = ("monitors/freshness.py", "tests/monitors/test_freshness.py", "docs/monitors/freshness.md")


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a current folder that is no checkout."""
    folder = tmp_path / "my work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def digests(folder: Path) -> dict[str, str]:
    """Give a digest of each file, by its name; what tests leave behind does not count."""
    paths = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def python(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a module as a newcomer does; code of the folder counts before ours."""
    command = [sys.executable, "-m", *words]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{cwd}:{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def test_in_a_checkout_its_test_passes_at_once_and_alone(checkout: Path) -> None:
    """The test that was written passes, with no other file named."""
    done = python("pytest", "-q", "-p", "no:cacheprovider", WRITTEN[1], cwd=checkout)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_in_a_checkout_it_passes_what_is_asked_of_every_monitor(checkout: Path) -> None:
    """The tests that go over the folders find it without being told, and have nothing to say about it."""
    tests = ["tests/house/test_catalogue.py", "tests/monitors/test_contract.py"]
    done = python("pytest", "-q", "-p", "no:cacheprovider", "-k", "freshness", *tests, cwd=checkout)

    assert done.returncode == 0, done.stdout + done.stderr
    assert not [path for path in outdated(checkout / "docs") if path.stem == "freshness"]


@pytest.mark.parametrize("words", [("ruff", "check"), ("ruff", "format", "--check")], ids=["lint", "format"])
def test_in_a_checkout_the_linter_has_nothing_to_say(checkout: Path, words: tuple[str, ...]) -> None:
    """`make test` stays green."""
    done = python(*words, "--no-cache", *WRITTEN[:2], cwd=checkout)

    assert done.returncode == 0, done.stdout + done.stderr


def test_in_a_checkout_the_types_are_right(checkout: Path) -> None:
    """Also under the strict settings of the project."""
    done = python(
        "mypy", "--cache-dir", str(checkout.parent / "types"), "--follow-imports=silent", *WRITTEN[:2], cwd=checkout
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_no_generated_page_asks_for_the_new_monitor(checkout: Path) -> None:
    """Pages of the reference stay current, so three new files are all that changes."""
    code = (
        "from engine.plugins import find_monitor; from manometer.generated import reference_blocks as blocks; blocks()"
    )
    asked = f"import sys; {code}; print(find_monitor('freshness').cls.__module__, 'freshness' in str(blocks()))"
    done = subprocess.run(
        [sys.executable, "-c", asked],
        cwd=checkout,
        env={"PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split() == ["monitors.freshness", "False"]


@pytest.mark.parametrize("name", ["answer_length_2", "page_hits_total"])
def test_elsewhere_it_lies_in_a_folder_of_its_own(elsewhere: Path, name: str) -> None:
    """Three files in ./monitors; the test passes at once, and the sample of its page is a workflow that runs."""
    result = run("new", "monitor", name)
    done = python(
        "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio", f"monitors/test_{name}.py", cwd=elsewhere
    )

    assert result.stdout.splitlines() == [
        f"written: monitors/{file}" for file in (f"{name}.py", f"test_{name}.py", f"{name}.md")
    ]
    assert done.returncode == 0, done.stdout + done.stderr
    page = (elsewhere / "monitors" / f"{name}.md").read_text(encoding="utf-8")
    place(
        elsewhere,
        {
            "w.yaml": page.partition("```yaml\n")[2].partition("```")[0],
            "r.jsonl": '{"time": 5, "value": 2}\n{"time": 65}\n',
        },
    )
    assert run("check", "w.yaml").exit_code == 0
    replayed = run("replay", "w.yaml", "--input", "records=r.jsonl")
    assert f'"name":"{name}_max","time":60.0,"value":2.0' in replayed.stdout
    assert f"| `{name}_max` | gauge |" in page


def test_what_a_workflow_needs_is_told(elsewhere: Path) -> None:
    """On standard error, after what was written."""
    assert run("new", "monitor", "mine").stderr == (
        "To attach it, a workflow file needs plugins: [./monitors] and - {use: mine, from: STREAM} below monitors:\n"
    )


def test_elsewhere_two_stand_side_by_side(elsewhere: Path) -> None:
    """A second one leaves the first alone, and the tests of both run in one go."""
    run("new", "monitor", "first")
    before = digests(elsewhere)
    run("new", "monitor", "second")
    done = python("pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio", "monitors", cwd=elsewhere)

    assert before.items() <= digests(elsewhere).items()
    assert "4 passed" in done.stdout, done.stdout


@pytest.mark.parametrize("there", ["monitors/mine.py", "monitors/test_mine.py", "monitors/mine.md"])
def test_a_file_that_is_there_is_never_touched(elsewhere: Path, there: str) -> None:
    """All files are written or none, and the error names the one that is in the way."""
    place(elsewhere, {there: "precious"})
    result = run("new", "monitor", "mine")

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"Error: {there} is there already; nothing was written\n"
    assert {path.read_text() for path in (elsewhere / "monitors").iterdir()} == {"precious"}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Latency", 'a monitor is named in lower snake case, such as answer_length; got "Latency"'),
        ("answer-length", 'a monitor is named in lower snake case, such as answer_length; got "answer-length"'),
        ("../mine", 'a monitor is named in lower snake case, such as answer_length; got "../mine"'),
        ("a__b", 'a monitor is named in lower snake case, such as answer_length; got "a__b"'),
        ("lambda", 'a monitor is named in lower snake case, such as answer_length; got "lambda"'),
        ("queue", "Python has a module queue, which its test could not import any more; choose another name"),
        *(
            (one.name, f"there is a monitor {one.name} already: manometer monitors lists them")
            for one in available_monitors()
        ),
    ],
)
def test_a_name_that_cannot_be_is_refused(elsewhere: Path, name: str, said: str) -> None:
    """One sentence says why, exit code 2, nothing is written."""
    result = run("new", "monitor", name)

    assert (result.exit_code, result.stderr) == (2, f"Error: {said}\n")
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("name", ["fraud", "Fraud-2", "v1.2"])
def test_a_new_workflow_passes_its_check_and_its_test(elsewhere: Path, name: str) -> None:
    """The file has no mistakes and no warnings, and the test beside it passes."""
    result = run("new", "workflow", name)
    checked, tested = run("check", f"{name}.yaml"), run("test", f"{name}.yaml")

    assert result.stdout.splitlines() == [f"written: {name}.yaml", f"written: {name}.test.yaml"]
    assert (checked.exit_code, checked.stdout) == (0, f"{name}.yaml: fine (5 monitors, 1 alert, 1 stream)\n")
    assert (tested.exit_code, tested.stdout) == (0, f"{name}.test.yaml: 1 passed\n")


def test_in_a_checkout_a_workflow_lies_with_the_others(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever in the checkout the command is called."""
    monkeypatch.chdir(checkout / "docs" / "monitors")
    result = run("new", "workflow", "newcomer")

    assert result.exit_code == 0
    assert run("test", checkout / "workflows" / "newcomer.yaml").exit_code == 0


@pytest.mark.parametrize("name", ["fraud.yaml", "a/b", "", ".hidden", "fraud.test"])
def test_a_workflow_name_that_cannot_be_is_refused(elsewhere: Path, name: str) -> None:
    """A name has no folder and no ending."""
    result = run("new", "workflow", name)

    assert result.exit_code == 2
    assert result.stderr.startswith("Error: a workflow is named with letters, digits, - _ and ., such as fraud; got ")
    assert list(elsewhere.iterdir()) == []


def test_a_workflow_that_is_there_is_never_touched(elsewhere: Path) -> None:
    """Neither the file nor its test."""
    place(elsewhere, {"fraud.test.yaml": "precious"})
    result = run("new", "workflow", "fraud")

    assert result.stderr == "Error: fraud.test.yaml is there already; nothing was written\n"
    assert digests(elsewhere).keys() == {"fraud.test.yaml"}


def test_a_checkout_is_known_by_its_project(tmp_path: Path) -> None:
    """Its pyproject.toml names the project; folders alone, or a broken file, do not make one."""
    place(tmp_path, {"monitors/x.py": "", "engine/x.py": "", "deep/er/x": "", "pyproject.toml": "["})
    assert find_checkout(tmp_path / "deep" / "er") is None

    place(tmp_path, {"pyproject.toml": PROJECT.replace("manometer", "other")})
    assert find_checkout(tmp_path) is None

    place(tmp_path, {"pyproject.toml": PROJECT})
    assert find_checkout(tmp_path / "deep" / "er") == tmp_path


def test_a_folder_that_cannot_be_written_is_told(elsewhere: Path) -> None:
    """In a sentence, and with exit code 2."""
    place(elsewhere, {"monitors": "a file"})
    result = run("new", "monitor", "mine")

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: monitors")
