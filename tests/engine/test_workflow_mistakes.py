from __future__ import annotations

from pathlib import Path

import pytest

from engine.workflow import WorkflowError, check, load
from tests.engine.mistakes import BASE, FIRST, MISTAKES, SECOND, WARNINGS

PLUGINS = {
    "rows.py": "from engine.monitor import Monitor\nclass Rows(Monitor):\n    reads = dict\n",
    "broken.py": "from engine.monitor import Monitor\nclass Broken(Monitor):\n    series = nothing\n",
    "slips.py": "from engine.monitor import Monitor\nclass Slips(Monitor):\n    emits = ('a',)\n",
    "late_slips.py": "from engine.monitor import Monitor\nclass LateSlips(Monitor):\n"
    "    def __init__(self, options):\n        self.series = 'engine'\n",
    "scopeless.py": "from engine.monitor import Monitor\nclass Scopeless(Monitor):\n"
    "    def scope_on(self, fields):\n        raise KeyError('scope')\n",
    "odd.py": """\
from pydantic import Field
from engine.monitor import Monitor, MonitorOptions
class Inner(MonitorOptions):
    depth: int = 1
class Odd(Monitor):
    class Options(MonitorOptions):
        limit: int = Field(le=10)
        inner: Inner = Inner()
        inners: tuple[Inner, ...] | None = None
        either: str | int = 1
    def __init__(self, options):
        super().__init__(options)
        if options.limit == 7:
            raise ValueError("seven is too odd")
        1 / (options.limit - 8)
""",
    "awry.py": "from engine.decoders import Decoder\nclass Awry(Decoder):\n"
    "    def __init__(self, settings):\n        1 / 0\n",
}

SCHEMAS = {
    "broken.json": b'{\n"type" "object"}',
    "list.json": b"[1]",
    "latin.json": b'{"title": "\xe9"}',
    "large.json": b" " * 1_048_577,
    "deep.json": b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "wrong.json": b'{"type": "nothing"}',
    "true.json": b"true",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with plugins and schemas, each wrong in its own way."""
    (tmp_path / "plugins").mkdir()
    for name, text in PLUGINS.items():
        (tmp_path / "plugins" / name).write_text(text, encoding="utf-8")
    for name, data in SCHEMAS.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


def write(folder: Path, text: str) -> Path:
    """Write a workflow file."""
    path = folder / "lstm.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def edited(old: str, new: str) -> str:
    """Give the base with one mistake in it."""
    assert old in BASE, old
    return BASE.replace(old, new, 1)


def test_the_base_of_the_table_is_right(folder: Path) -> None:
    """What the table calls a mistake comes from the edit alone."""
    assert check(write(folder, BASE)) == []


@pytest.mark.parametrize(("old", "new", "line", "path", "words"), MISTAKES)
def test_each_mistake_is_told_at_its_line_and_path(
    folder: Path, old: str, new: str, line: int, path: str, words: str
) -> None:
    """A mistake of any kind is an error with line, path, what is wrong and what is right."""
    file = write(folder, edited(old, new))
    found = [finding for finding in check(file) if finding.level == "error"]

    assert bool(found) == bool(line)
    assert all(finding.file == str(file) for finding in found)
    assert not line or any((one.line, one.path) == (line, path) and words in one.message for one in found), found


@pytest.mark.parametrize(("old", "new", "line", "path", "words"), WARNINGS)
def test_each_oddity_is_a_warning(folder: Path, old: str, new: str, line: int, path: str, words: str) -> None:
    """What is allowed and probably not meant is told, and the workflow loads."""
    file = write(folder, edited(old, new))
    found = check(file)

    assert [(one.line, one.path, one.level) for one in found] == [(line, path, "warning")]
    assert words in found[0].message
    assert load(file).workflow == "lstm"


def test_all_mistakes_are_told_in_one_run(folder: Path) -> None:
    """A file with a mistake of every kind gets a finding for each, in the order of its lines."""
    text = BASE
    for old, new in [
        ("workflow: lstm", "workflow: no"),
        ("topic: notify", "topic:\tnotify"),
        ("decode: json", "decode: jsn"),
        (FIRST, FIRST + ", tags: {slot: a, time: b}, foo: &x 1"),
        (SECOND, "  - {use: thruput, from: notfy, name: throughput"),
        ("above: 40", "abov: 40, for: x"),
        ("severity: warning", "severity: warn, severity: bad"),
        ("[./plugins]", "[./none]"),
    ]:
        text = text.replace(old, new, 1)
    found = check(write(folder, text))

    assert [finding.line for finding in found] == sorted(finding.line for finding in found)
    assert {(finding.line, finding.path) for finding in found if finding.level == "error"} == {
        (1, "workflow"),
        (3, "file"),
        (4, "streams.input.decode"),
        (6, "monitors[0].foo"),
        (6, "monitors[0].tags.slot"),
        (6, "monitors[0].tags.time"),
        (7, "monitors[1].use"),
        (7, "monitors[1].from"),
        (7, "monitors[1].name"),
        (8, "monitors[2].with.abov"),
        (8, "monitors[2].with.for"),
        (10, "alerts[0].severity"),
        (12, "plugins[0]"),
    }


@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        (b"", 1, "it is empty"),
        (b" \n\n", 1, "it is empty"),
        (b"# nothing but a comment\n", 1, "it is empty"),
        (b"\xef\xbb\xbf" + BASE.encode(), 1, "it begins with a byte order mark"),
        (BASE.encode().replace(b"CpuSaturated", b"Cpu\xe9"), 10, "it is not UTF-8: the byte 0xe9"),
        (BASE.encode("utf-16"), 1, "it is not UTF-8"),
        (b"a: b\n" * 300_000, 1, "it is larger than 1048576 bytes"),
        (b"[1, 2]\n", 1, "expected a map of alerts, archive"),
        (b"lstm\n", 1, 'got "lstm"'),
        (b"--- \n", 1, "got nothing"),
        (b'{"workflow": "a"\n"streams"', 2, "this is no YAML"),
    ],
)
def test_a_file_that_is_none_is_one_finding(folder: Path, data: bytes, line: int, words: str) -> None:
    """Empty, too large, in another encoding or no map: one finding says so."""
    file = folder / "lstm.yaml"
    file.write_bytes(data)
    found = check(file)

    assert [finding.line for finding in found] == [line]
    assert words in found[0].message


def test_a_file_that_cannot_be_read_is_one_finding(tmp_path: Path) -> None:
    """A file that is not there, and a folder, are findings like others."""
    (tmp_path / "folder.yaml").mkdir()
    found = [check(tmp_path / name)[0] for name in ("none.yaml", "folder.yaml")]
    found += check(Path("a\0b"))

    assert [finding.line for finding in found] == [1, 1, 1]
    assert [finding.message.split(";")[0] for finding in found[:2]] == ["there is no such file", "this is a folder"]
    assert "it cannot be read" in found[2].message
    with pytest.raises(WorkflowError, match="there is no such file"):
        load(tmp_path / "none.yaml")


def test_a_json_file_has_the_lines_of_its_mistakes(folder: Path) -> None:
    """Syntax and meaning of a file in JSON are told with lines too."""
    file = folder / "lstm.json"
    file.write_text('{"workflow": "lstm",\n"streams": {},\n"archive": }', encoding="utf-8")
    syntax = check(file)
    file.write_text('{"workflow": "lstm",\n"streams": {},\n"archive": {"topic": 7}}', encoding="utf-8")
    meaning = check(file)

    assert [str(finding) for finding in syntax] == [f"{file}:3: file: expected JSON: Expecting value (column 12)"]
    assert [(finding.line, finding.path) for finding in meaning] == [
        (1, "monitors"),
        (2, "streams"),
        (3, "archive.topic"),
    ]


def test_an_unknown_runbook_is_no_mistake(folder: Path) -> None:
    """Runbooks may lie elsewhere; only the form of the name is looked at."""
    assert check(write(folder, edited("severity: warning", "runbook: our-own-page"))) == []


def test_metrics_of_a_monitor_that_is_unknown_are_not_missed(folder: Path) -> None:
    """Where a monitor cannot be found, nobody knows what it emits, and alerts on it are not doubted."""
    text = edited("use: resources", "use: resorces")

    assert [finding.path for finding in check(write(folder, text))] == ["monitors[1].use"]
