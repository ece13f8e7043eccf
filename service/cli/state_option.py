"""`overfly evaluate --state FILE`: what is taken up from it, and kept in it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from geofence.geofence import Geofence
    from ingest.decoding.ndjson import OfflinePositions
    from service.carried_state import CarriedState
    from service.crossing_rule import CrossingRule


class Carrying:
    """The state between two evaluations. `carried` is None where none is asked for."""

    def __init__(
        self,
        path: Path | None,
        geofences: "Sequence[Geofence]",
        rule: "CrossingRule",
        *,
        unknown_altitude_inside: bool,
    ) -> None:
        """Reads the file, if there is one. Raises Refused where it cannot be carried on."""
        self._path = path
        self.carried: CarriedState | None = None
        if path is not None:
            from service import carried_state, state_file  # noqa: PLC0415 - half a second of imports

            self._terms = carried_state.Terms.of(
                geofences, rule, unknown_altitude_inside=unknown_altitude_inside
            )
            there = path.exists()
            self.carried = (
                state_file.read_state_file(path, self._terms) if there else carried_state.CarriedState()
            )

    def earlier(self, positions: "OfflinePositions") -> int:
        """How many are not after the last one of their device that was evaluated before."""
        if self.carried is None:
            return 0
        device = self.carried.slots(positions.device_ids)[positions.device]
        return int(np.count_nonzero(positions.sample_time <= self.carried.state.watermark[device]))

    def keep(self) -> None:
        """Writes the file anew. Raises Refused where it cannot be written."""
        if self._path is not None and self.carried is not None:
            from service.state_file import write_state_file  # noqa: PLC0415 - as above

            write_state_file(self._path, self.carried, self._terms)
