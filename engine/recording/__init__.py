"""Recorded topics and plain files.

`files` reads them as messages (`open_input`, `partitions`), `writer` writes recordings (`RecordingWriter`), `lines`
says how one message or tick stands on a line, `byte_lines` and `csv_lines` cut files into lines.
"""

from __future__ import annotations
