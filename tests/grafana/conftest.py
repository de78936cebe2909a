from __future__ import annotations

import pytest

from tests.grafana.filled import Filled
from tests.services.influxdb import InfluxDB


@pytest.fixture(scope="session")
def filled(influxdb: InfluxDB, tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """Give a bucket with what the recorded days emit."""
    return Filled(influxdb, tmp_path_factory.mktemp("replayed"))
