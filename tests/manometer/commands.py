"""Runs the command line as the tests of it do: within the process, or as a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from click.testing import CliRunner, Result

from manometer.cli.main import main
from tests.house.source import ROOT

WORKFLOW: Final = """\
workflow: small
streams:
  notify: {topic: notify, decode: sensors}
monitors:
  - {use: throughput, from: notify}
  - {use: health, from: notify}
archive: {topic: archive}
"""

REPORT: Final = (
    '{"type":"sensor-report","timestamp":"2024-01-01T00:00:%02dZ","src":"e1",'
    '"tap":"manifold.0.records.count","id":%d,"delta_time":10.0,"data":%d}\n'
)
MESSAGES: Final = b"".join(
    (
        b'{"type":"engine-state","timestamp":"2024-01-01T00:00:00Z","src":"e1","state":"running"}\n',
        (REPORT % (10, 1, 50)).encode(),
        b"no JSON, and \xff no UTF-8\n",
        (REPORT % (20, 2, 70)).encode(),
    )
)
TAGS: Final = '"model":"e1","engine":"e1"'
EMISSIONS: Final = (
    '{"type":"metric","name":"engine_state","time":1704067200.0,"value":1.0,'
    f'"tags":{{"workflow":"small","monitor":"health",{TAGS}}}}}\n'
    '{"type":"metric","name":"records_per_second","time":1704067210.0,"value":5.0,'
    f'"tags":{{"workflow":"small","monitor":"throughput",{TAGS},"slot":"0"}}}}\n'
    '{"type":"metric","name":"records_per_second","time":1704067220.0,"value":7.0,'
    f'"tags":{{"workflow":"small","monitor":"throughput",{TAGS},"slot":"0"}}}}\n'
).encode()
"""What comes of MESSAGES: 1 is running; 50 and 70 records in 10 seconds are 5 and 7 a second."""


def place(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Write files into a folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())


def run(*words: str | Path, stdin: bytes = b"") -> Result:
    """Run the command within this process; an exception that it does not expect is raised here."""
    result = CliRunner().invoke(main, [str(word) for word in words], input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def start(*words: str | Path, stdin: bytes = b"", cwd: Path = ROOT) -> subprocess.CompletedProcess[bytes]:
    """Run the command as a process of its own."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from manometer.cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, words)], input=stdin, capture_output=True, cwd=cwd, check=False
    )


def counts(stderr: str | bytes) -> dict[str, Any]:
    """Read the last line of standard error."""
    return dict(json.loads(stderr.splitlines()[-1]))
