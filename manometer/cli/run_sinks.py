"""The sinks that `manometer run` writes to: by kind and target, each with a pump of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from archiver.pump import Log, Pump
from archiver.sink import Broken, Busy, Sink
from engine.telemetry import Reading
from manometer.cli.failure import CommandError
from manometer.sink_readings import sink_readings
from manometer.sinks import SinkMistake, SinkSpec, parse_sinks


class Sinks:
    """All sinks of a process, each at its own pace."""

    def __init__(self, archive: Path, wanted: Sequence[str], log: Log) -> None:
        """Open the archive file, and what was asked for as KIND=TARGET with options.

        Raises:
            CommandError: one is not understood, or cannot be opened.
        """
        self.pumps: list[Pump] = []
        try:
            specs = parse_sinks(wanted, beside=[SinkSpec("sqlite", "sqlite", str(archive))])
        except SinkMistake as error:
            raise CommandError(f"--sink: {error}") from None
        try:
            for spec in specs:
                self.pumps.append(Pump(spec.name, _opened(spec), log))
        except BaseException:
            self.close()
            raise

    @property
    def names(self) -> list[str]:
        """Under what names their positions are saved."""
        return [pump.name for pump in self.pumps]

    def start(self) -> None:
        """Begin to write."""
        for pump in self.pumps:
            pump.start()

    def broken(self) -> list[str]:
        """Say which do not go on before a person acts, and why."""
        found = [pump.status() for pump in self.pumps]
        return [f"sink {status.name}: {status.error}" for status in found if status.state == "broken"]

    def readings(self) -> Iterator[Reading]:
        """Read how they are doing."""
        for pump in self.pumps:
            yield from sink_readings(pump.status())

    def close(self, timeout: float = 2.0) -> None:
        """Stop all; what is not written yet is written after the next start."""
        for pump in self.pumps:
            pump.stop()
        for pump in self.pumps:
            with suppress(Broken, Busy):
                pump.close(timeout)


def _opened(spec: SinkSpec) -> Sink:
    try:
        return spec.open()
    except (Broken, Busy) as error:
        raise CommandError(f"sink {spec.name}: {error}") from error
