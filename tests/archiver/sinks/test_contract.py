from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from archiver import checks, sinks
from archiver.checks import CHECKS, Make, Read, Takes, check_sink, everything
from archiver.sinks.json_lines import JsonLinesSink, read_emissions
from archiver.sinks.sqlite import SqliteSink, read_alerts, read_points
from archiver.sinks.webhook import WebhookSink
from engine.events import Alert, Emission
from tests.archiver.sinks.influx_store import bucket_of, read_back, sink_of
from tests.archiver.sinks.receiver import Receiver

ROOT: Final = Path(__file__).parents[3]
Fixture = Callable[[str], Any]
"""Gives a fixture by its name, so that only the sink that needs a server waits for one."""


class Store(NamedTuple):
    """How to open and read the store of a sink, and what it takes."""

    make: Make
    read: Read
    takes: Takes = everything


@contextmanager
def sqlite_store(folder: Path, _: Fixture) -> Iterator[Store]:
    """Open and read a SQLite file."""
    file = folder / "store.db"
    yield Store(lambda: SqliteSink(file), lambda: [*read_points(file), *read_alerts(file)])


@contextmanager
def json_lines_store(folder: Path, _: Fixture) -> Iterator[Store]:
    """Open and read a file of lines."""
    file = folder / "emissions.jsonl"
    yield Store(lambda: JsonLinesSink(file), lambda: read_emissions(file))


@contextmanager
def webhook_store(_: Path, __: Fixture) -> Iterator[Store]:
    """Send to a web server, and ask it for what it has."""
    with Receiver() as receiver:
        yield Store(lambda: WebhookSink(receiver.url), receiver.content, is_change)


@contextmanager
def influxdb_store(folder: Path, fixture: Fixture) -> Iterator[Store]:
    """Write to a bucket of a real server, and read it with InfluxQL."""
    server = fixture("influxdb")
    bucket = bucket_of(server, folder)
    yield Store(lambda: sink_of(server, bucket), lambda: read_back(server, bucket))


def is_change(emission: Emission) -> bool:
    """Say whether something begins or ends with this."""
    return isinstance(emission, Alert) and not emission.repeat


STORES: Final[dict[str, Callable[[Path, Fixture], AbstractContextManager[Store]]]] = {
    "influxdb": influxdb_store,
    "json_lines": json_lines_store,
    "sqlite": sqlite_store,
    "webhook": webhook_store,
}
"""The store of each sink, by the name of its module."""


def modules() -> list[str]:
    """Name the modules in the folder of sinks."""
    return sorted(path.stem for path in Path(*sinks.__path__).glob("*.py") if path.stem != "__init__")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("module", modules())
def test_every_sink_keeps_the_contract(
    module: str, check: Callable[[Make, Read, Takes], None], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Each module in the folder of sinks passes each check of the suite."""
    with STORES[module](tmp_path, request.getfixturevalue) as store:
        check(*store)


@pytest.mark.parametrize("module", modules())
def test_the_whole_suite_runs_on_one_store(module: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """The checks do not disturb each other, nor does a second run."""
    with STORES[module](tmp_path, request.getfixturevalue) as store:
        check_sink(*store)
        check_sink(*store)


@pytest.mark.parametrize("module", modules())
def test_every_sink_has_a_name_and_a_page(module: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """The name of a sink is that of its module, and its page says what it promises."""
    with STORES[module](tmp_path, request.getfixturevalue) as store:
        sink = store.make()
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


def whole(emission: Emission) -> list[Emission]:
    """Keep everything as it is."""
    return [emission]


@pytest.mark.parametrize(("fault", "sentence"), [(lost, "1 missing"), (doubled, "3 more than expected")])
def test_the_suite_finds_a_sink_that_breaks_a_promise(
    fault: Callable[[Emission], list[Emission]], sentence: str
) -> None:
    """What is lost or double is found by the first check, with the emissions in question."""
    kept: list[Emission] = []
    with pytest.raises(AssertionError, match=f"reads_back, before the sink is closed: {sentence}"):
        check_sink(lambda: Memory(kept, fault), lambda: kept)  # type: ignore[arg-type,return-value]  # refuses nothing


def test_the_suite_finds_a_sink_that_writes_what_is_not_its_business() -> None:
    """A sink that says it takes alerts only may write nothing else."""
    kept: list[Emission] = []
    with pytest.raises(AssertionError, match="reads_back, before the sink is closed: 2 more than expected"):
        check_sink(lambda: Memory(kept, whole), lambda: kept, is_change)  # type: ignore[arg-type,return-value]  # as above
