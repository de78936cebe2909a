"""How a command ends that could not do its work: one sentence on standard error, exit code 2."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from archiver.sink import Broken, Busy
from engine.findings import one_line
from engine.recording.byte_lines import InputError


class CommandError(click.ClickException):
    """Says where, what came, what was expected or what to do; one line, whatever stands in a file or its name."""

    exit_code = 2

    def __init__(self, message: str) -> None:
        """Keep the sentence."""
        super().__init__(one_line(message))


@contextmanager
def told() -> Iterator[None]:
    """Tell what goes wrong with files and stores in a sentence; that a reader has gone is left to the command line.

    Raises:
        CommandError: an input cannot be read, a file or store not written.
    """
    try:
        yield
    except (InputError, Broken, Busy) as error:
        raise CommandError(str(error)) from error
    except BrokenPipeError:
        raise
    except OSError as error:
        raise CommandError(f"{error.filename or 'the results'}: {what_failed(error)}") from error


def what_failed(error: Exception) -> str:
    """Give the words of the operating system for what went wrong, to stand within a sentence.

    >>> what_failed(FileNotFoundError(2, "No such file or directory"))
    'no such file or directory'
    """
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return text[:1].lower() + text[1:]
