"""The passwords of an installation: made by chance, once, and never by a person."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final

from manometer.installing.kept import keep, kept

OPERATOR_TOKEN: Final = "influxdb/operator-token"  # noqa: S105 - the name of a file
INFLUXDB_PASSWORD: Final = "influxdb/password"  # noqa: S105 - as above
GRAFANA_PASSWORD: Final = "grafana/password"  # noqa: S105 - as above
FILES: Final = (INFLUXDB_PASSWORD, OPERATOR_TOKEN, GRAFANA_PASSWORD)
"""Below the folder of secrets: who reads it, and what it is."""
_BYTES: Final = 32


def make_missing(folder: Path, *, shared: bool) -> list[str]:
    """Make what is not there yet; what is there stays as it is. Gives the names of what was made.

    Raises:
        OSError: a file cannot be read or written.
    """
    made = []
    for name in FILES:
        if kept(folder / name) is None:
            keep(folder / name, secrets.token_urlsafe(_BYTES), shared=shared)
            made.append(name)
    return made
