"""The demo: replays a recorded day and tells a person what happened; what draws is kept apart from what reads."""

from __future__ import annotations
