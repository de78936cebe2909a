"""Keeps what an embedded process takes as recordings, one file a stream, messages and ticks in their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from engine.events import Message
from engine.plan import Plan
from engine.recording.lines import Tick
from engine.recording.writer import RecordingWriter


class Recorder:
    """Writes recordings that appear under their names when it is closed; a disk that is full stops only these."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        """Begin a recording of each stream in a folder, which is made where there is none.

        Raises:
            OSError: it cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._open = ExitStack()
        self.files: Mapping[str, Path] = {name: folder / f"{name}.jsonl" for name in plan.streams}
        """Stream -> its recording."""
        self.trouble: OSError | None = None
        """Why nothing is recorded any more."""
        with ExitStack() as undo:
            undo.callback(self._open.close)
            self._writers: dict[str, list[RecordingWriter]] = {}
            for name, stream in plan.streams.items():
                writer = self._open.enter_context(RecordingWriter(self.files[name]))
                self._writers.setdefault(stream.topic, []).append(writer)
            undo.pop_all()

    def __call__(self, inputs: Sequence[Message | Tick]) -> None:
        """Write inputs; from one thread, and it never raises."""
        if self.trouble is not None:
            return
        try:
            for one in inputs:
                for writer in self._writers[one.topic]:
                    writer.write(one)
        except OSError as error:
            self.trouble = error

    def close(self) -> None:
        """Give the files their names; where the disk was full, take away what is there.

        Raises:
            OSError: the disk is or was full.
        """
        trouble = self.trouble
        if trouble is None:
            self._open.close()
        else:
            self._open.__exit__(type(trouble), trouble, None)
            raise trouble
