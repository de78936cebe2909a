"""Sinks: one file a store, each behind the contract of `archiver.sink`."""

from __future__ import annotations
