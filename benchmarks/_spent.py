"""What a measurement took: time on the wall, and of the processors."""

from __future__ import annotations

import time


class Spent:
    """Seconds a record, on the wall and of this process's processors, from when it is made until it is stopped."""

    def __init__(self) -> None:
        """Begin."""
        self._began = time.perf_counter(), time.process_time()
        self.wall = self.processor = 0.0

    def stop(self, records: int) -> None:
        """End; so many records were done meanwhile."""
        self.wall = (time.perf_counter() - self._began[0]) / max(1, records)
        self.processor = (time.process_time() - self._began[1]) / max(1, records)
