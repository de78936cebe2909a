"""Moves the archive into one sink, at that sink's own pace: a thread a sink, and a saved position in the archive."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from archiver.patience import PACE, Pace, PatientWriter, State
from archiver.sink import Refused, Sink
from engine.events import Emission

LOOK: Final = 0.2
"""Seconds after which a pump that waits for something new looks whether it should stop."""


class Log(Protocol):
    """The archive in numbered parts, and how far each sink has come in it. Any thread may call; numbers only grow."""

    def archive_after(self, seq: int, limit: int) -> Sequence[tuple[int, Sequence[Emission]]]:
        """Give at most so many parts after a number, in their order, beginning with the oldest that is kept."""

    def newest(self) -> int:
        """Give the number of the newest part, 0 where there never was one."""

    def position(self, sink: str) -> int:
        """Give the number of the last part that a sink has written, 0 for one that is new."""

    def save_position(self, sink: str, seq: int) -> None:
        """Keep it, durably."""

    def refused(self, sink: str, refused: Sequence[Refused]) -> None:
        """Keep what a sink will never take as rejects, reason `store`."""

    def wait_newer(self, seq: int, timeout: float) -> bool:
        """Block until there is a part after a number; False after so many seconds without one."""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """How one sink is doing."""

    name: str
    state: State
    error: str
    """What went wrong last; it is what goes wrong now unless the state is `going`."""
    position: int
    """Number of the last part of the archive that is written."""
    behind: int
    """Parts of the archive that are not."""
    written: int
    """Emissions that the store took since the start."""
    refused: int
    """Emissions that it will never take; they are rejects."""
    expired: int
    """Emissions that are older than what it keeps."""
    retries: int
    """Tries that failed since the start."""


class Pump:
    """Reads what comes after the sink's position, writes it, keeps what was refused, saves the position: for ever.

    Written, then saved: after a crash the same is written again, which a sink takes without harm. A sink that fails,
    hangs or raises delays nobody but itself. A new name begins with the oldest part that the archive still has.
    """

    def __init__(self, name: str, sink: Sink, log: Log, *, limit: int = 100, pace: Pace = PACE) -> None:
        """Take a sink that is open, to write to it and to close it.

        Args:
            name: what the position is saved under.
            sink: the store; the pump owns it from now on.
            log: the archive.
            limit: parts of the archive in one call of the sink.
            pace: seconds between tries.
        """
        self.name = name
        self._sink = sink
        self._log = log
        self._limit = limit
        self._writer = PatientWriter(sink, name=name, pace=pace)
        self._position = 0
        self._thread = threading.Thread(target=self._run, name=f"sink {name}", daemon=True)

    def start(self) -> None:
        """Begin; called once."""
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end, without waiting; where there are several pumps, ask all before the first `close`."""
        self._writer.stop()

    def close(self, timeout: float = 15.0) -> bool:
        """End, and wait for that at most so many seconds.

        Returns:
            Whether it has ended, and its sink is closed. False: a call of the sink has not come back; nothing is lost,
            because the position is saved after the writing.
        """
        self.stop()
        if self._thread.ident is None:
            self._sink.close()
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def status(self) -> Status:
        """Tell how the sink is doing; for any thread."""
        writer = self._writer
        return Status(
            name=self.name,
            state=writer.state,
            error=writer.error,
            position=self._position,
            behind=max(0, self._log.newest() - self._position),
            written=writer.written,
            refused=writer.refused,
            expired=writer.expired,
            retries=writer.retries,
        )

    def _run(self) -> None:
        while not self._writer.stopped:
            try:
                self._follow()
            except Exception as error:  # noqa: BLE001 - the archive cannot be read or written: told, and tried again
                self._writer.broke(f"the archive: {type(error).__name__}: {error}")
        try:
            self._sink.close()
        except Exception as error:  # noqa: BLE001 - as above, of the sink
            self._writer.error = f"closing: {type(error).__name__}: {error}"

    def _follow(self) -> None:
        """Go on from the saved position until asked to stop."""
        self._position = self._log.position(self.name)
        while not self._writer.stopped:
            newest = self._log.newest()
            parts = self._log.archive_after(self._position, self._limit)
            if parts:
                self._move(parts)
            else:
                self._wait(newest)

    def _wait(self, newest: int) -> None:
        """Wait for something new; what there was up to `newest` is written, or no longer kept."""
        self._position = max(self._position, newest)
        self._writer.state = "going"
        while not self._writer.stopped and not self._log.wait_newer(self._position, LOOK):
            pass

    def _move(self, parts: Sequence[tuple[int, Sequence[Emission]]]) -> None:
        """Write some parts and save the position behind them, unless it is stopped before they are written."""
        self._position = parts[0][0] - 1  # what was before is no longer kept, so nobody is behind on it
        emissions = [emission for _, found in parts for emission in found]
        refused = self._writer.write(emissions) if emissions else ()
        if refused is None:
            return
        if refused:
            self._log.refused(self.name, refused)
        self._log.save_position(self.name, parts[-1][0])
        self._position = parts[-1][0]
