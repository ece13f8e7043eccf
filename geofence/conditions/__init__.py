"""Conditions: what geofences ask of a fix beside its place, and which fixes meet them."""
