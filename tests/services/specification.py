"""The compose specification's own reader, as `docker compose` uses it, built once with Go."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any, Final

from tests.services.running import CACHE, Missing, digest, made_once, program

_HERE: Final = Path(__file__).parent / "compose"
_READER: Final = "github.com/compose-spec/compose-go/v2/cmd"
_GO: Final = "install Go 1.24 or newer"


class NotComposed(Exception):  # noqa: N818 - says what the reader found
    """A file that does not fit the specification."""


def composed(file: Path) -> dict[str, Any]:
    """Read a compose file as `docker compose config` does, and give the whole model.

    Raises:
        Missing: the reader cannot be built here.
        NotComposed: the file is wrong; the sentence is the reader's.
    """
    done = subprocess.run(
        [str(_reader()), "--format", "json", str(file)],
        cwd=file.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NotComposed(done.stdout + done.stderr)
    return dict(json.loads(done.stdout))


def _reader() -> Path:
    folder = CACHE / f"compose-{digest(_HERE / 'go.mod', _HERE / 'go.sum')}"
    with made_once(folder) as part:
        if part is not None:
            words = [program("go", _GO), "build", "-o", str(part / "compose-spec"), _READER]
            environment = {**os.environ, "GOFLAGS": "-buildvcs=false -mod=readonly"}
            done = subprocess.run(
                words, cwd=_HERE, env=environment, capture_output=True, text=True, timeout=600, check=False
            )
            if done.returncode:
                raise Missing(f"compose-go could not be built: {done.stderr[-600:]}")
    return folder / "compose-spec"
