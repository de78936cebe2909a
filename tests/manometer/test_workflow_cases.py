"""Files of tests: every mistake is told at once, with its line, what came and what was expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.findings import MOST
from manometer import workflow_cases
from manometer.workflow_cases import Expected, as_time, read_cases, workflow_of

STREAMS = ("notify", "values")
HEAD = "tests:\n  - name: one\n    given: []\n"


def findings(folder: Path, text: str | bytes) -> list[str]:
    """Read a file of tests, and give what is found, without its name."""
    path = folder / "w.test.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    cases, found = read_cases(path, STREAMS)
    assert not (cases and found), "a file with mistakes has no tests"
    return [str(one).removeprefix(f"{path}:") for one in found]


def test_tests_are_read_with_their_lines(tmp_path: Path) -> None:
    """What is left out has its default."""
    path = tmp_path / "w.test.yaml"
    path.write_text(f"# above\n{HEAD}  - name: two\n    given: [{{at: 5}}]\n    rejects: [time]\n", encoding="utf-8")
    (one, two), found = read_cases(path, STREAMS)

    assert found == []
    assert [(one.line, one.case.name), (two.line, two.case.name)] == [(3, "one"), (5, "two")]
    assert (one.case.expect, one.case.only, one.case.rejects) == ([], None, None)
    assert (two.case.given, two.case.rejects) == ([{"at": 5}], ["time"])


def test_a_file_may_have_no_tests_yet(tmp_path: Path) -> None:
    """An empty list is no mistake."""
    assert findings(tmp_path, "tests: []\n") == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1: file: it is empty; "),
        ("[]", "1: file: expected `tests:` with a list of tests, got a list"),
        ("tests:", "1: tests: expected a list, got nothing"),
        ("tests: {}", "1: tests: expected a list, got a map"),
        ("{}", "1: tests: this key is required"),
        ("tests: []\nmore: 1", "2: more: unknown key. It takes: tests."),
        ("tests: [", "1: file: expected a value; "),
        ("tests: &a []", '1: tests: the anchor "a"; '),
        ("tests: [\t]", "1: "),
        (b"tests: []\xff", "1: file: it is not UTF-8: the byte 0xff; save it as UTF-8"),
        ("tests: [7]", "1: tests[0]: expected a map, got 7"),
        ("tests:\n  - name: 3\n    given: []", '2: tests[0].name: expected text, got 3; quote it: "3"'),
        ("tests:\n  - given: []", "2: tests[0].name: this key is required"),
        (f"{HEAD}    onyl: []",
         '4: tests[0].onyl: unknown key. It takes: expect, given, name, only, rejects. Did you mean "only"?'),
        (f"{HEAD}    rejects: [encodng]", '4: tests[0].rejects[0]: expected "encoding", "schema", '),
        (f"{HEAD}    expect: [{{metric: a, tme: 5}}]", "4: tests[0].expect[0].tme: unknown key. "),
        (f"{HEAD}    expect: [{{metric: a, time: soon}}]", "4: tests[0].expect[0].time: expected RFC 3339 text "),
        (f"{HEAD}    expect: [{{metric: a, time: true}}]", "4: tests[0].expect[0].time: expected RFC 3339 text or "),
        (f"{HEAD}    expect: [{{metric: a, value: x}}]", '4: tests[0].expect[0].value: expected a number, got "x"'),
        (f"{HEAD}    expect: [{{alert: A, state: on}}]", "4: tests[0].expect[0].state: "),
        (f"{HEAD}    expect: [{{alert: A, metric: a}}]", "4: tests[0].expect[0]: expected either `metric:` or "),
        (f"{HEAD}    expect: [{{time: 5}}]", "4: tests[0].expect[0]: expected either `metric:` or `alert:`"),
        ("tests:\n  - name: a\n    given:\n      - notfy: 1",
         '4: tests[0].given[0].notfy: unknown stream "notfy". The workflow has: notify, values. Did you mean "noti'),
        ("tests:\n  - name: a\n    given:\n      - {notify: 1, values: 2}",
         "4: tests[0].given[0]: expected one stream, or `at:` alone, got notify, values"),
        ("tests:\n  - name: a\n    given:\n      - {}", "4: tests[0].given[0]: expected one stream, or `at:` alone"),
        ("tests:\n  - name: a\n    given:\n      - {at: soon}", "4: tests[0].given[0].at: expected RFC 3339 text "),
    ],
)  # fmt: skip
def test_a_mistake_is_told(tmp_path: Path, text: str | bytes, said: str) -> None:
    """Each in one sentence, at its line and path; it is the only one."""
    (found,) = findings(tmp_path, text)

    assert found.startswith(said)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """In the order of lines; a file with very many tells so, and ends."""
    text = HEAD + "    expect: [{metric: a, value: x}, {alert: A, state: gone}]\n    more: 1\n  - given: 7\n"

    assert [line.partition(": ")[0] for line in findings(tmp_path, text)] == ["4", "4", "5", "6", "6"]
    assert len(findings(tmp_path, "tests:\n" + "  - {name: a, given: [{notfy: 1}]}\n" * 3 * MOST)) == MOST + 1


@pytest.mark.parametrize(("given", "micros"), [(1, 1_000_000), (0.5, 500_000), ("1970-01-01T00:00:02Z", 2_000_000)])
def test_times_are_texts_or_seconds(given: object, micros: int) -> None:
    """As in the messages and on the wire."""
    assert as_time(given) == micros


def test_what_is_asked_of_an_emission_is_counted() -> None:
    """The one with more goes first when emissions are handed out."""
    assert Expected(metric="a").asked == 0
    assert Expected(alert="A", state="firing", time=1, value=0.0, tags={"a": 1, "b": "2"}).asked == 5


def test_the_tests_of_a_workflow_stand_beside_it() -> None:
    """Under its name, whatever kind of file it is."""
    beside = [workflow_cases.tests_of(Path("a") / name) for name in ("b.yaml", "b.yml", "b.json")]

    assert beside == [Path("a/b.test.yaml")] * 3


def test_a_file_of_tests_stands_for_the_workflow_beside_it(tmp_path: Path) -> None:
    """Whichever kind of file is there; where none is, the one that is expected."""
    tests = tmp_path / "b.test.yaml"
    assert workflow_of(tests) == tmp_path / "b.yaml"

    (tmp_path / "b.json").touch()
    assert workflow_of(tests) == tmp_path / "b.json"
