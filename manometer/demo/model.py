"""What one engine of the live demo does with each input: reads it, checks it, forecasts, and counts on its taps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from engine.decoders import StreamSettings, Undecodable
from engine.decoders.json import Json
from engine.events import Message
from manometer.demo.forecast import Accuracy, Forecaster
from sensors import Slot

SCHEMA: Final = "workflows/schemas/taxi-input.json"


class Model:
    """Takes inputs as bytes and gives forecasts as bytes; what it cannot take is counted by reason."""

    def __init__(
        self, engine: str, forecaster: Forecaster, schema: Mapping[str, Any], slots: tuple[Slot, Slot]
    ) -> None:
        """Forecast for one engine.

        Args:
            engine: its id.
            forecaster: what was learned.
            schema: a JSON Schema that inputs have to fit.
            slots: what is read, and what is written.
        """
        self._engine = engine
        self._forecaster = forecaster
        self._decoder = Json(StreamSettings(schema=schema))
        self._read, self._written = slots
        self._accuracy = Accuracy()
        self._encode = msgspec.json.Encoder().encode

    def take(self, data: bytes) -> bytes | None:
        """Forecast from one input; None where it was rejected."""
        self._read.record(len(data))
        try:
            given = self._decoder.decode(Message("", 0, 0, None, None, data))[2]
        except Undecodable as reject:
            self._read.rejected("encoding" if reject.reason == "encoding" else "schema")
            return None
        forecast = self._encode(self._forecast(given))
        self._written.record(len(forecast))
        return forecast

    def _forecast(self, given: Mapping[str, Any]) -> dict[str, Any]:
        count = given["passengers"]
        error = self._accuracy.judge(count)
        forecast = self._forecaster.forecast(given["half_hour"], count)
        self._accuracy.foretold(forecast)
        return {
            "time": given["time"],
            "id": given["id"],
            "engine": self._engine,
            "passengers": round(forecast, 1),
            "error": round(error, 4),
        }
