"""Updates as columns."""

import numpy as np

from ingest.decoding.device_positions import Bounds
from service.location.updates import decoded_updates


def test_whole_numbers_become_columns_of_doubles() -> None:
    update = {"DeviceId": "x", "SampleTime": 5, "Position": [9, 46], "Accuracy": {"Horizontal": 3}}
    decoded = decoded_updates([[update]], Bounds(0, 10, 8_192, 64))
    batch = decoded.batch
    assert {batch.longitude.dtype, batch.latitude.dtype, batch.accuracy.dtype} == {np.dtype(np.float64)}
    assert (batch.longitude[0], batch.latitude[0], batch.accuracy[0]) == (9.0, 46.0, 3.0)
    assert np.isnan(batch.altitude[0])
