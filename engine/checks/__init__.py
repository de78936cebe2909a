"""The contract suite: proves of any monitor, ours or yours, that it keeps what `engine.monitor` asks for."""

from __future__ import annotations

from collections.abc import Sequence

from engine.checks.calls import of_calls
from engine.checks.declared import of_declarations
from engine.checks.keys import of_keys
from engine.checks.runs import of_runs
from engine.checks.source import of_source
from engine.monitor import Monitor
from engine.testing.samples import sample_table
from engine.testing.table import Line


class ContractBroken(AssertionError):  # noqa: N818 - it says what was found
    """A monitor does not keep the contract; each broken promise is a line."""

    def __init__(self, name: str, broken: Sequence[str]) -> None:
        """Keep the promises that do not hold."""
        promises = "one of its promises" if len(broken) == 1 else f"{len(broken)} of its promises"
        super().__init__("\n".join([f"{name} breaks {promises}:", *broken]))
        self.broken = tuple(broken)


def check_monitor(subject: type[Monitor] | Monitor, table: Sequence[Line] | None = None) -> None:
    """Check a monitor against the contract.

    Args:
        subject: a monitor, or a class of which every option has a default.
        table: lines as `engine.testing.feed` takes them, of the kind that the monitor reads; a made-up one if left out.

    Raises:
        ContractBroken: with every promise that does not hold.

    >>> from monitors.throughput import Throughput
    >>> check_monitor(Throughput)
    """
    monitor = subject if isinstance(subject, Monitor) else subject(subject.Options())
    given = sample_table(monitor) if table is None else table
    broken = [*of_declarations(monitor), *of_source(type(monitor))]
    # What cannot be declared cannot run; what has no keys has no states; what fails in a run fails in single calls.
    broken = broken or list(of_keys(monitor, given))
    broken = broken or list(of_runs(monitor, given))
    broken = broken or list(of_calls(monitor, given))
    if broken:
        raise ContractBroken(type(monitor).__name__, list(dict.fromkeys(broken)))
