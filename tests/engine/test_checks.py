"""The contract suite catches every way in which a monitor breaks its promises, and passes those that keep them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from engine.checks import ContractBroken, check_monitor
from engine.monitor import Monitor
from engine.plugins import find_monitor
from engine.testing import END, At, config, metric, report, state
from tests.engine.broken_monitors import BATCH, BATCHES, BROKEN, EMITTED, GOOD, MISUSED, SENSORS, TOTAL

TABLE: Final = [(float(n * 10), {"id": f"k{n % 2}", "value": n + 0.5}) for n in range(12)]


def loaded(folder: Path, text: str) -> type[Monitor]:
    """Write a monitor as its author would, and load it."""
    folder.mkdir(exist_ok=True)
    (folder / "subject.py").write_text(text, encoding="utf-8")
    return find_monitor("subject", [folder]).cls


def changed(*changes: tuple[str, str]) -> str:
    """Give the good monitor with some texts replaced."""
    text = GOOD
    for old, new in changes:
        assert old in text, f"the good monitor has no {old!r}"
        text = text.replace(old, new)
    return text


def broken(subject: type[Monitor] | Monitor, table: Any = None) -> str:
    """Give what the suite says of a monitor."""
    with pytest.raises(ContractBroken) as caught:
        check_monitor(subject, table)
    assert str(caught.value).startswith("Subject breaks ")
    return "\n".join(caught.value.broken)


@pytest.mark.parametrize("more", ["", BATCH], ids=["one by one", "in batches"])
@pytest.mark.parametrize("table", [None, [*TABLE, At(900), END]], ids=["made up", "given"])
def test_a_good_monitor_passes(tmp_path: Path, more: str, table: Any) -> None:
    """With timers, silences and batches, on a table of its own and on a made-up one."""
    check_monitor(loaded(tmp_path, GOOD + more), table)


@pytest.mark.parametrize("promise", BROKEN)
def test_a_monitor_is_caught_that(tmp_path: Path, promise: str) -> None:
    """One promise is broken, and the suite says which."""
    changes, said = BROKEN[promise]

    assert said in broken(loaded(tmp_path, changed(*changes)), [*TABLE, At(900), END])


@pytest.mark.parametrize("difference", BATCHES)
def test_batches_are_compared_with_single_records(tmp_path: Path, difference: str) -> None:
    """What `on_batch` gives is what `on_record` gives, under every cut."""
    old, new = BATCHES[difference]
    assert old in BATCH
    table = [(float(n), {"id": "k", "value": n + 0.5}) for n in range(60)]

    said = broken(loaded(tmp_path, GOOD + BATCH.replace(old, new)), table)

    assert "what a call does may depend on its record and its state only" in said


def test_each_emission_of_a_batch_names_its_record(tmp_path: Path) -> None:
    """The archive says of each message what it caused, so the index has to be right."""
    text = changed(("    def next_timer", "    def unused"))
    batch = BATCH.replace("while state.ends", "while False and state.ends")

    check_monitor(loaded(tmp_path / "good", text + batch), TABLE)
    wrong = loaded(tmp_path / "wrong", text + batch.replace("return pairs", "return [(0, one) for _, one in pairs]"))
    assert "on_batch: expected with each emission the index of the record that made it" in broken(wrong, TABLE)


def test_a_batch_that_raises_is_caught(tmp_path: Path) -> None:
    """The engine would go on one by one and say nothing; the suite tells it."""
    text = GOOD + BATCH.replace("return pairs", "raise LookupError('no')")

    assert "on_batch: LookupError: no" in broken(loaded(tmp_path, text), TABLE)


def test_every_broken_promise_is_told_at_once(tmp_path: Path) -> None:
    """An author sees all of it in one run, each on a line."""
    text = changed(("KEPT = []", "import time"), ('(1.0, description="What each value counts.")', "(1.0)"))

    with pytest.raises(ContractBroken) as caught:
        check_monitor(loaded(tmp_path, text))

    assert str(caught.value).splitlines()[0] == "Subject breaks 2 of its promises:"
    assert len(str(caught.value).splitlines()) == 3


ENGINES: Final = [
    (0, state("e1", "running")),
    (1, config("e1", "lstm")),
    (2, state("e2", "running")),
    *((float(n * 10), report(f"e{n % 2 + 1}", "sys.memory", n + 1)) for n in range(1, 12)),
]


@pytest.mark.parametrize("table", [None, ENGINES], ids=["made up", "given"])
def test_a_good_monitor_of_engines_passes(tmp_path: Path, table: Any) -> None:
    """One that reads what engines send gets their messages."""
    check_monitor(loaded(tmp_path, SENSORS), table)


@pytest.mark.parametrize("misuse", MISUSED)
def test_what_a_monitor_says_of_its_series_is_checked(tmp_path: Path, misuse: str) -> None:
    """Scope, fields of the key and signs of life have to be what the engine may rely on."""
    (old, new), said = MISUSED[misuse]

    assert said in broken(loaded(tmp_path, SENSORS.replace(old, new)), ENGINES)


def test_a_monitor_of_metrics_may_emit_only_alerts(tmp_path: Path) -> None:
    """Otherwise monitors could feed each other in a circle."""
    text = changed(("reads = dict", "from engine.events import Metric\n    reads = Metric"))

    assert "emits: a monitor that reads metrics may emit only alerts" in broken(loaded(tmp_path, text))


def test_a_monitor_of_metrics_is_fed_metrics(tmp_path: Path) -> None:
    """Its table has metrics, made up or given."""
    text = changed(
        ("reads = dict", "from engine.events import Metric\n    reads = Metric"),
        ("emits = (SUM, QUIET)", "emits = (QUIET,)"),
        ('series = ("id",)', "series = ()"),
        ('(record.value["id"],)', "record.key"),
        ('record.value["value"]', "record.value.value"),
        (EMITTED, "emitted = (QUIET.set(record.time, total > 3),)"),
        ('return [SUM.at(now, state.total, sort="timer")]', "return []"),
    )

    check_monitor(loaded(tmp_path, text))
    check_monitor(loaded(tmp_path, text), [(float(n), metric("speed", n, slot="0")) for n in range(9)])


def test_options_are_checked_as_they_are_given(tmp_path: Path) -> None:
    """A monitor may be good with one option and break its promises with another."""
    text = changed((TOTAL, TOTAL + "        total / (self.options.factor - 2)\n"))
    subject = loaded(tmp_path, text)

    check_monitor(subject)
    assert "record 0: ZeroDivisionError: " in broken(subject(subject.Options.model_validate({"factor": 2.0})), TABLE)
