from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import pytest

from archiver import checks, sinks
from archiver.checks import CHECKS, Make, Read, check_sink
from archiver.sinks.json_lines import JsonLinesSink, read_emissions
from archiver.sinks.sqlite import SqliteSink, read_alerts, read_points
from engine.events import Emission

ROOT: Final = Path(__file__).parents[3]


def sqlite_store(folder: Path) -> tuple[Make, Read]:
    """Open and read a SQLite file."""
    file = folder / "store.db"
    return lambda: SqliteSink(file), lambda: [*read_points(file), *read_alerts(file)]


def json_lines_store(folder: Path) -> tuple[Make, Read]:
    """Open and read a file of lines."""
    file = folder / "emissions.jsonl"
    return lambda: JsonLinesSink(file), lambda: read_emissions(file)


STORES: Final[dict[str, Callable[[Path], tuple[Make, Read]]]] = {
    "json_lines": json_lines_store,
    "sqlite": sqlite_store,
}
"""How to open and read the store of each sink, by the name of its module."""


def modules() -> list[str]:
    """Name the modules in the folder of sinks."""
    return sorted(path.stem for path in Path(*sinks.__path__).glob("*.py") if path.stem != "__init__")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("module", modules())
def test_every_sink_keeps_the_contract(module: str, check: Callable[[Make, Read], None], tmp_path: Path) -> None:
    """Each module in the folder of sinks passes each check of the suite."""
    check(*STORES[module](tmp_path))


@pytest.mark.parametrize("module", modules())
def test_the_whole_suite_runs_on_one_store(module: str, tmp_path: Path) -> None:
    """The checks do not disturb each other, nor does a second run."""
    make, read = STORES[module](tmp_path)
    check_sink(make, read)
    check_sink(make, read)


@pytest.mark.parametrize("module", modules())
def test_every_sink_has_a_name_and_a_page(module: str, tmp_path: Path) -> None:
    """The name of a sink is that of its module, and its page says what it promises."""
    make, _ = STORES[module](tmp_path)
    sink = make()
    sink.close()
    page = (ROOT / "docs" / "sinks" / f"{module}.md").read_text(encoding="utf-8")

    assert sink.name == module
    assert "\n## Delivery\n" in page


def test_every_check_is_in_the_suite() -> None:
    """No function that begins with `check_` is forgotten."""
    assert {check.__name__ for check in CHECKS} == {
        name for name in vars(checks) if name.startswith("check_") and name != "check_sink"
    }


class Memory:
    """A sink that keeps emissions in a list, with one fault."""

    name = "memory"

    def __init__(self, kept: list[Emission], fault: Callable[[Emission], Iterable[Emission]]) -> None:
        self._kept = kept
        self._fault = fault

    def write(self, emissions: Iterable[Emission]) -> list[object]:
        """Keep what the fault makes of each emission."""
        for emission in emissions:
            self._kept.extend(self._fault(emission))
        return []

    def close(self) -> None:
        """Hold nothing."""


def lost(emission: Emission) -> list[Emission]:
    """Lose every alert."""
    return [] if hasattr(emission, "firing") else [emission]


def doubled(emission: Emission) -> list[Emission]:
    """Write everything twice."""
    return [emission, emission]


@pytest.mark.parametrize(("fault", "sentence"), [(lost, "1 missing"), (doubled, "3 more than expected")])
def test_the_suite_finds_a_sink_that_breaks_a_promise(
    fault: Callable[[Emission], list[Emission]], sentence: str
) -> None:
    """What is lost or double is found by the first check, with the emissions in question."""
    kept: list[Emission] = []
    with pytest.raises(AssertionError, match=f"reads_back, before the sink is closed: {sentence}"):
        check_sink(lambda: Memory(kept, fault), lambda: kept)  # type: ignore[arg-type,return-value]  # refuses nothing
