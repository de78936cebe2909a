"""Scripts that made what is shipped."""

from __future__ import annotations
