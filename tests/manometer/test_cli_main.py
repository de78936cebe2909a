"""The command `manometer` itself: what it shows, what it imports, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from manometer import __version__
from manometer.cli.main import COMMANDS, main
from manometer.reference import command_pages
from tests.house.source import ROOT
from tests.manometer.commands import MESSAGES, WORKFLOW, place, run, start

STRANGER = """\
from __future__ import annotations

import os
import signal

from engine.monitor import Monitor


class Stranger(Monitor):
    def key(self, record):
        return ()

    def on_record(self, record, state):
        {body}
        return ()
"""
WITH_STRANGER = WORKFLOW.replace("streams:", "plugins: [.]\nstreams:").replace("use: health", "use: stranger")


def test_help_lists_every_command_without_importing_it() -> None:
    """`manometer --help` shows all commands and loads nothing of the engine, so that it comes at once."""
    result = imported("--help")

    assert [name for name in COMMANDS if f"\n  {name} " not in result.text] == []
    assert result.modules & {"engine", "monitors", "archiver", "pydantic", "msgspec", "rich", "yaml"} == set()


def test_replay_imports_only_what_it_needs(tmp_path: Path) -> None:
    """Neither a progress bar nor a store nor telemetry is loaded where none is asked for."""
    place(tmp_path, {"w.yaml": WORKFLOW, "m.jsonl": MESSAGES})

    result = imported("replay", str(tmp_path / "w.yaml"), "--input", f"notify={tmp_path / 'm.jsonl'}")

    assert "records_per_second" in result.text
    assert result.modules & {"rich", "structlog", "prometheus_client", "sqlite3", "jsonschema_rs"} == set()


class Imported:
    """What a command printed, and the top packages that it left loaded."""

    def __init__(self, text: str, modules: set[str]) -> None:
        """Keep both."""
        self.text = text
        self.modules = modules


def imported(*words: str) -> Imported:
    """Run a command in a fresh interpreter."""
    code = (
        "import json, sys\nfrom manometer.cli.main import main\n"
        f"try: main({list(words)!r})\n"
        "except SystemExit as end: assert end.code == 0, end.code\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    text, _, modules = done.stdout.rstrip("\n").rpartition("\n")
    return Imported(text, set(json.loads(modules)))


@pytest.mark.parametrize("name", COMMANDS)
def test_the_line_of_a_command_is_the_first_of_its_help(name: str) -> None:
    """What `manometer --help` says of a command is what its own help begins with."""
    help_text = main.commands[name].help or ""

    assert help_text.partition("\n")[0] == COMMANDS[name]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_teaches(name: str) -> None:
    """It has an example, exit codes and what to read next, in lines that fit into 80 columns as they were written."""
    text = command_pages(main.commands[name], ("manometer", name))

    assert [word for word in ("$ manometer ", "Exit codes: ", "Read next: ") if word not in text] == []
    assert "\\b" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_the_version_is_shown() -> None:
    """`--version` prints the version of the package."""
    assert run("--version").stdout == f"manometer {__version__}\n"


def test_the_module_is_the_command() -> None:
    """`python -m manometer` does what `manometer` does."""
    done = subprocess.run([sys.executable, "-m", "manometer", "--version"], cwd=ROOT, capture_output=True, check=False)

    assert (done.returncode, done.stdout) == (0, f"manometer {__version__}\n".encode())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["chek"], 'no command is called "chek". Did you mean "check"? There are: demo, '),
        (["check", "--jsn", "x"], "Did you mean --json?"),
        (["replay"], "Missing argument 'WORKFLOW'"),
        (["--versoin"], "Did you mean --version?"),
    ],
)
def test_a_slip_of_the_pen_is_told_with_the_right_word(words: list[str], said: str) -> None:
    """What is not understood ends with exit code 2 and the nearest word, on standard error."""
    result = run(*words)

    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""


def test_a_reader_that_goes_away_ends_it_quietly(tmp_path: Path) -> None:
    """`manometer replay ... | head` says nothing and ends as a broken pipe ends any program."""
    state = '{"type":"engine-state","timestamp":"2024-01-01T00:00:00.%06dZ","src":"e1","state":"running"}\n'
    place(tmp_path, {"w.yaml": WORKFLOW, "m.jsonl": "".join(state % micro for micro in range(5_000))})
    code = "from manometer.cli.main import main; main()"
    words = ["replay", str(tmp_path / "w.yaml"), "--input", f"notify={tmp_path / 'm.jsonl'}"]
    with subprocess.Popen(
        [sys.executable, "-c", code, *words], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(100)
        process.stdout.close()
        said = process.stderr.read()

    assert (process.returncode, said) == (141, b"")


@pytest.mark.parametrize(
    ("body", "code"), [("raise KeyboardInterrupt", 130), ("os.kill(os.getpid(), signal.SIGTERM)", 143)]
)
def test_an_interrupted_replay_leaves_nothing_half_written(tmp_path: Path, body: str, code: int) -> None:
    """Ctrl-C and SIGTERM end it with the code of the signal; files that were not whole are gone, old ones stay."""
    place(tmp_path, {"w.yaml": WITH_STRANGER, "stranger.py": STRANGER.format(body=body), "m.jsonl": MESSAGES})
    place(tmp_path, {"out.jsonl": "old\n"})
    before = {path.name for path in tmp_path.iterdir()}

    done = start("replay", "w.yaml", "--input", "notify=m.jsonl", "--out", "out.jsonl", "--rejects", "r", cwd=tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (code, b"", b"")
    assert {path.name for path in tmp_path.iterdir()} == before
    assert (tmp_path / "out.jsonl").read_text(encoding="utf-8") == "old\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a device that is always full")
@pytest.mark.parametrize("words", [["monitors"], ["check", "workflows"], ["catalogue"]])
def test_a_full_disk_is_one_sentence(words: list[str]) -> None:
    """Results that cannot be written are told in one line, and the exit code is 2."""
    code = "from manometer.cli.main import main; main()"
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", code, *words], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, check=False
        )

    assert (done.returncode, done.stderr) == (2, b"Error: standard output: no space left on device\n")
