"""What all tests share: hypothesis repeats itself, and the number of skipped tests is always told."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell how many tests were skipped, also when none was."""
    terminalreporter.write_line(f"skipped: {len(terminalreporter.stats.get('skipped', ()))}")
