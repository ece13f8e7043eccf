"""Geofences that come, change and go while the soak goes on."""

import random
from collections import Counter
from typing import Any

import httpx

from tests.soak.plant import Plant

MOST, FIRST = 150, 80
"""Geofences that the soak adds: at a time, and before its first change."""


class Changes:
    """Of circles of its own, drawn from a seed; `done` counts them by kind."""

    def __init__(self, plant: Plant, choice: random.Random) -> None:
        self._plant, self._choice = plant, choice
        self._there: list[str] = []
        self._next = 1
        self.done: Counter[str] = Counter()

    def begin(self) -> None:
        """Puts the first ones."""
        for _ in range(FIRST):
            self._put(self._new())

    def change(self) -> None:
        """Puts, edits or deletes one. The API may be away, or be killed over it: then it counts as missed."""
        kind = self._choice.choice(("put", "put", "edit", "delete"))
        if kind == "put" and len(self._there) < MOST:
            name = self._new()
        elif self._there:
            name = self._choice.choice(self._there)
        else:
            return
        try:
            answer = self._delete(name) if kind == "delete" else self._put(name)
        except httpx.TransportError:
            self.done["missed"] += 1
            return
        gone = kind == "delete" and answer.status_code == httpx.codes.NOT_FOUND  # its put was missed
        if answer.is_success or gone:
            self.done[kind] += 1
        elif answer.is_server_error:
            self.done["missed"] += 1
        else:
            self._plant.faults.append(f"{kind} of {name}: {answer.status_code} {answer.text[:200]}")

    def _new(self) -> str:
        name = f"soak-{self._next}"
        self._next += 1
        self._there.append(name)
        return name

    def _put(self, name: str) -> httpx.Response:
        return httpx.put(self._url(name), json=self._circle(), timeout=5)

    def _delete(self, name: str) -> httpx.Response:
        self._there.remove(name)
        return httpx.delete(self._url(name), timeout=5)

    def _url(self, name: str) -> str:
        return f"{self._plant.api.url}/v1/geofences/{name}"

    def _circle(self) -> dict[str, Any]:
        choice = self._choice
        return {
            "type": "Feature",
            "properties": {"radius": round(choice.uniform(5_000.0, 80_000.0))},
            "geometry": {
                "type": "Point",
                "coordinates": [round(choice.uniform(-3.0, 15.0), 3), round(choice.uniform(43.0, 54.0), 3)],
            },
        }
