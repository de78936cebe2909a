"""What all tests share: hypothesis repeats itself, skipped tests are counted, and there is one real Kafka broker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser

from tests.services.browser import browser as running_browser
from tests.services.influxdb import InfluxDB
from tests.services.running import Missing, absent
from tests.services.secured import Secured

SERVICES = frozenset({"broker", "browser", "influxdb"})
"""Fixtures that start a program which serves many tests."""

settings.register_profile("short", derandomize=True, deadline=None, max_examples=100, database=None, print_blob=True)
settings.register_profile(
    "long",
    deadline=None,
    max_examples=5_000,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)


def pytest_configure(config: pytest.Config) -> None:
    """Choose how far hypothesis looks: `make long` looks further, from the seed that it prints."""
    settings.load_profile("long" if config.getoption("-m") == "long" else "short")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of one service in one process, so that each service is started once."""
    for item in items:
        for service in SERVICES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.xdist_group(service))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell how many tests were skipped, also when none was."""
    terminalreporter.write_line(f"skipped: {len(terminalreporter.stats.get('skipped', ()))}")


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """Run a broker, one a session and process; without Kafka the tests skip, and in CI they fail."""
    try:
        found = Secured(tmp_path_factory.mktemp("kafka"))
    except Missing as missing:
        absent(missing)
    found.start()
    yield found
    found.stop()


@pytest.fixture(scope="session")
def influxdb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxDB]:
    """Run an InfluxDB, one a session and process; where it cannot be built the tests skip, and in CI they fail."""
    try:
        found = InfluxDB(tmp_path_factory.mktemp("influxdb"))
    except Missing as missing:
        absent(missing)
    found.start()
    yield found
    found.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Run a browser, one a module, as no test with asyncio may come while it runs; skipped or failed as above."""
    try:
        with running_browser() as found:
            yield found
    except Missing as missing:
        absent(missing)
