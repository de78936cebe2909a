"""Runs the command on a terminal of its own, as a person sees it."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Sequence
from typing import Literal

from tests.house.source import ROOT

Stream = Literal["stdout", "stderr"]


def seen(words: Sequence[str], *, columns: int = 80, on: Sequence[Stream] = ("stdout", "stderr")) -> str:
    """Give what a terminal of so many columns shows; a stream that is not on it goes nowhere."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    left_out = {"COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"}
    with subprocess.Popen(
        [sys.executable, "-c", "from manometer.cli.main import main; main()", *words],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name not in left_out} | {"TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        stdout=theirs if "stdout" in on else subprocess.DEVNULL,
        stderr=theirs if "stderr" in on else subprocess.DEVNULL,
    ):
        os.close(theirs)
        return _read(ours).decode().replace("\r\n", "\n")


def _read(ours: int) -> bytes:
    """Read until the last one has closed the terminal, which Linux tells as an error and others as an end."""
    found = b""
    with open(ours, "rb", buffering=0) as terminal:
        try:
            while data := terminal.read(65_536):
                found += data
        except OSError:
            pass
    return found
