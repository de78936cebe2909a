"""The token that guards a process which listens beyond this machine."""

from __future__ import annotations

from pathlib import Path

from manometer.cli.failure import CommandError, what_failed


def read_token(path: Path) -> str:
    """Read a token: the only word of its file.

    Raises:
        CommandError: the file cannot be read, or is empty.
    """
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"--token-file {path}: {what_failed(error)}") from error
    if not token:
        raise CommandError(f"--token-file {path}: expected a token, got an empty file")
    return token
