"""`manometer profile`: a file of records becomes a profile that `input_drift` reads."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from monitors.stats.profile import CategoricalField, NumericField, read_profile
from tests.manometer.commands import run

LINES = "".join(json.dumps({"age": 20 + n % 40, "city": "ABC"[n % 3], "code": n % 4}) + "\n" for n in range(300))


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """Write a file of records, with one line that is none."""
    path = tmp_path / "train.jsonl"
    path.write_text(f"{LINES}no JSON\n", encoding="utf-8")
    return path


def test_a_profile_is_written(sample: Path, tmp_path: Path) -> None:
    """Types are found, `--categorical` overrides them, what cannot be decoded is left out and counted."""
    out = tmp_path / "it.json"

    done = run("profile", sample, "--categorical", "code", "--out", out)

    profile = read_profile(out.read_bytes())
    assert (done.exit_code, done.stdout) == (0, "")
    assert "1 messages could not be decoded" in done.stderr
    assert profile.records == 300
    assert isinstance(profile.fields["age"], NumericField)
    assert profile.fields["city"] == CategoricalField(values={"A": 100, "B": 100, "C": 100})
    assert profile.fields["code"] == CategoricalField(values={"0": 75, "1": 75, "2": 75, "3": 75})


def test_without_out_it_goes_to_standard_output(sample: Path) -> None:
    """The fields are those that are named, in their order."""
    done = run("profile", sample, "--fields", "city, age")

    assert list(read_profile(done.stdout.encode()).fields) == ["city", "age"]


def test_a_table_gives_the_same_as_lines(sample: Path, tmp_path: Path) -> None:
    """A .csv file with the same records has the same profile."""
    table = tmp_path / "train.csv"
    lines = [json.loads(line) for line in LINES.splitlines()]
    table.write_text("age,city,code\n" + "".join(f"{one['age']},{one['city']},{one['code']}\n" for one in lines))

    assert run("profile", table).stdout == run("profile", sample).stdout


def test_a_column_may_be_empty(tmp_path: Path) -> None:
    """All fields of the first record are in the profile, also one that no record has a value of."""
    (tmp_path / "train.csv").write_text("age,city\n20,\n30,\n")

    done = run("profile", tmp_path / "train.csv")

    assert read_profile(done.stdout.encode()).fields["city"] == CategoricalField(missing=2)


def test_every_kind_of_input_gives_the_same(sample: Path, tmp_path: Path) -> None:
    """Compressed, from standard input and as a recording; only a recording has times, so only it has a length."""
    (tmp_path / "train.jsonl.gz").write_bytes(gzip.compress(LINES.encode()))
    with (tmp_path / "recorded").open("w", encoding="utf-8") as file:
        for n, line in enumerate(LINES.splitlines()):
            place = {"topic": "t", "partition": 0, "offset": n, "time": 1e9 + 60 * n, "key": None, "headers": []}
            file.write(json.dumps({**place, "value": line}) + "\n")

    plain = run("profile", sample).stdout
    recorded = run("profile", tmp_path / "recorded").stdout

    assert run("profile", sample).stdout == plain, "the same file gives the same bytes"
    assert run("profile", tmp_path / "train.jsonl.gz").stdout == plain
    assert run("profile", "-", stdin=LINES.encode()).stdout == plain
    assert recorded == plain.replace('"records": 300,', '"records": 300,\n  "seconds": 17940.0,')


def test_event_times_are_those_of_the_workflow(sample: Path, tmp_path: Path) -> None:
    """From the first to the last, whatever their order."""
    workflow = tmp_path / "w.yaml"
    workflow.write_text(
        "workflow: w\nstreams:\n  s: {topic: s, decode: json, time: age}\n"
        "monitors:\n  - {use: arrival, from: s}\narchive: {topic: a}\n"
    )

    done = run("profile", sample, "--workflow", workflow, "--stream", "s")

    assert read_profile(done.stdout.encode()).seconds == 39.0  # ages from 20 to 59


def test_a_second_sample_is_added_in_the_bins_of_the_first(sample: Path, tmp_path: Path) -> None:
    """Twice the same sample is twice the counts, exactly."""
    one = tmp_path / "it.json"
    run("profile", sample, "--out", one)

    both = read_profile(run("profile", sample, "--merge", one).stdout.encode())

    age = read_profile(one.read_bytes()).fields["age"]
    assert both.records == 600
    assert isinstance(age, NumericField)
    assert isinstance(both.fields["age"], NumericField)
    assert both.fields["age"].counts == [2 * count for count in age.counts]


def test_records_are_decoded_as_the_workflow_does(sample: Path, tmp_path: Path) -> None:
    """With a stream of a workflow its schema holds: records that do not fit it are left out."""
    (tmp_path / "schema.json").write_text('{"properties": {"age": {"maximum": 29}}}')
    workflow = tmp_path / "w.yaml"
    workflow.write_text(
        "workflow: w\nstreams:\n  s: {topic: s, decode: json, schema: schema.json}\n"
        "monitors:\n  - {use: arrival, from: s}\narchive: {topic: a}\n"
    )

    done = run("profile", sample, "--workflow", workflow, "--stream", "s")

    assert read_profile(done.stdout.encode()).records == 80  # 10 of each 40 records, and 10 of the last 20


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere.jsonl"], "nowhere.jsonl"),
        (["train.jsonl", "--fields", "town"], 'no record has the field "town". The first record has: age, city, code.'),
        (["train.jsonl", "--fields", "citty"], 'Did you mean "city"?'),
        (["train.jsonl", "--categorical", "town"], '--categorical "town" is none of the fields'),
        (["train.jsonl", "--merge", "train.jsonl"], "expected a profile"),
        (["train.jsonl", "--merge", "nowhere.json"], "nowhere.json"),
        (["train.jsonl", "--stream", "s"], "--workflow and --stream together"),
        (["empty.jsonl"], "no record could be read"),
        (["broken.jsonl"], "no record could be read from it; the first:"),
        (["train.jsonl", "--out", "nowhere/it.json"], "nowhere"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    words: list[str], said: str, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2, nothing on standard output, and what was expected on standard error."""
    monkeypatch.chdir(sample.parent)
    Path("empty.jsonl").write_text("")
    Path("broken.jsonl").write_text("no JSON\n")

    done = run("profile", *words)

    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr


def test_profiles_with_other_fields_are_not_merged(sample: Path, tmp_path: Path) -> None:
    """The fields and kinds are those of the profile; anything else is refused."""
    one = tmp_path / "it.json"
    run("profile", sample, "--out", one, "--fields", "age")

    done = run("profile", sample, "--merge", one, "--fields", "city")

    assert done.exit_code == 2
    assert "those of the profile: age" in done.stderr
