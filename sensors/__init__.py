"""What a model's own process reports: taps, sensors and states; small, and harmless to the model."""

from __future__ import annotations

from sensors.descriptor import DescriptorError
from sensors.engine import Engine, Stats
from sensors.taps import Slot, Tap
from sensors.transport import Batch, Busy, Refused, Transport

__all__ = ["Batch", "Busy", "DescriptorError", "Engine", "Refused", "Slot", "Stats", "Tap", "Transport"]
