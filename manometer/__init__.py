"""Manometer: watches models in production. The command line is in `manometer.cli`; the machinery is in `engine`."""

from __future__ import annotations

__version__ = "0.1.0.dev0"
