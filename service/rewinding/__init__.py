"""Rewinding: the events of exported fixes again, under the revisions of the geofences that each fix met."""
