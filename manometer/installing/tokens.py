"""The tokens of an installation: the archiver may write one bucket, Grafana may read it, and neither anything else."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import msgspec

from manometer.installing.influxdb_api import InfluxApi, Token
from manometer.installing.kept import keep, kept

Action = Literal["read", "write"]

ARCHIVER_TOKEN: Final = "archiver/influxdb-token"  # noqa: S105 - the name of a file
GRAFANA_TOKEN: Final = "grafana/influxdb-token"  # noqa: S105 - as above
RIGHTS: Final[dict[str, Action]] = {ARCHIVER_TOKEN: "write", GRAFANA_TOKEN: "read"}
"""File below the folder of secrets -> what its token may do with the bucket."""


class Place(msgspec.Struct, frozen=True):
    """Where the archive is kept."""

    organisation: str
    bucket: str
    keeps: int | None
    """Seconds, 0 for ever; None leaves the bucket as it is."""


def make_tokens(api: InfluxApi, place: Place, folder: Path, *, shared: bool) -> list[str]:
    """Make bucket and tokens that are missing, and write the tokens; gives the names of the files written.

    A file with a token that the server knows, with the right that it should have, stays as it is. Any other token that
    an earlier call made for it is taken back.

    Raises:
        Refusal: InfluxDB does not do it.
        OSError: a file cannot be read or written.
    """
    organisation = api.organisation(place.organisation)
    bucket = api.bucket(organisation, place.bucket, place.keeps)
    known = api.tokens(organisation)
    written = []
    for name, action in RIGHTS.items():
        if _is_good(kept(folder / name), known, (action, bucket)):
            continue
        description = f"manometer: {name} of {place.bucket}"
        keep(folder / name, api.make_token(organisation, bucket, [action], description), shared=shared)
        written.append(name)
        for old in known:
            if old.description == description:
                api.drop_token(old.id)
    return written


def _is_good(text: str | None, known: list[Token], right: tuple[str, str]) -> bool:
    return text is not None and any(token.text == text and token.rights == {right} for token in known)
