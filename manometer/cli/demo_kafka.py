"""`manometer demo --kafka`: only the engines; a worker and an archiver elsewhere do the watching."""

from __future__ import annotations

import tempfile
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import click

from engine.workflow import load
from manometer.cli.demo_live import WORKFLOW
from manometer.cli.failure import CommandError
from manometer.demo.on_kafka import Settings, engines
from manometer.resources import resource

_LOG: Final = "engines.log"


def run_engines(servers: str, *, speed: float, seed: int, seconds: float | None, data: str | None) -> None:
    """Run the engines of the demo until a signal comes, or so many seconds are over.

    Raises:
        CommandError: the packages for Kafka are not installed.
        OSError: a process cannot be started.
    """
    if find_spec("aiokafka") is None:  # the engines would say so only in their log
        raise CommandError("--kafka: aiokafka is not installed; pip install 'manometer[kafka]'")
    folder = Path(data or tempfile.mkdtemp(prefix="manometer-demo-"))
    folder.mkdir(parents=True, exist_ok=True)
    settings = Settings(servers=servers, log=folder / _LOG, speed=speed, seed=seed, seconds=seconds)
    engines(load(resource(WORKFLOW)), settings, partial(click.echo, err=True))
