"""Finds the recorded data and the workflow files that are shipped, wherever Manometer is installed."""

from __future__ import annotations

import errno
from pathlib import Path

import manometer


def resource(name: str) -> Path:
    """Find a shipped file or folder by its name in the checkout.

    In a checkout it lies beside the package, in an installation inside it.

    Args:
        name: for example `data/demo-day.notify.jsonl.gz` or `workflows/demo.yaml`.

    Raises:
        FileNotFoundError: this installation does not have it.

    >>> resource("workflows/demo.yaml").name
    'demo.yaml'
    """
    package = Path(manometer.__file__).resolve().parent
    for folder in (package, package.parent):
        if (folder / name).exists():
            return folder / name
    raise FileNotFoundError(errno.ENOENT, "not in this installation; install manometer again, or use a checkout", name)
