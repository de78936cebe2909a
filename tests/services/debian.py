"""Programs that come as packages of Debian: found on PATH, or installed once where that is allowed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from typing import Final

from tests.services.running import Missing, alone

_SECONDS: Final = 1_200
_QUIET: Final = {"DEBIAN_FRONTEND": "noninteractive"}


def installed(names: Sequence[str], packages: Sequence[str], bring: str) -> str:
    """Give the path of a program: on PATH under one of its names, or installed once from Debian's packages.

    Raises:
        Missing: it is not there, and cannot be installed; `bring` says how it comes.
    """
    if found := _on_path(names):
        return found
    if os.geteuid() or shutil.which("apt-get") is None:
        raise Missing(f"{names[0]} is not on PATH: {bring}")
    with alone("apt-get"):
        if not _on_path(names):
            brought(["apt-get", "-qq", "update"], bring, _QUIET)
            brought(["apt-get", "-qq", "install", "-y", "--no-install-recommends", *packages], bring, _QUIET)
    if found := _on_path(names):
        return found
    raise Missing(f"{names[0]} is not on PATH after its installation: {bring}")


def _on_path(names: Sequence[str]) -> str | None:
    return next((found for name in names if (found := shutil.which(name))), None)


def brought(words: Sequence[str], bring: str, environment: Mapping[str, str] | None = None) -> None:
    """Run a program that brings another.

    Raises:
        Missing: it failed, or took too long.
    """
    try:
        done = subprocess.run(
            list(words),
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Missing(f"{' '.join(words[:3])} took longer than {_SECONDS} s; {bring}") from None
    if done.returncode:
        raise Missing(f"{' '.join(words[:3])} failed: {(done.stderr or done.stdout)[-600:]}")
