"""A running workflow on a terminal: `tracks` remembers, `picture` says what there is to see, `drawing` draws it."""

from __future__ import annotations
