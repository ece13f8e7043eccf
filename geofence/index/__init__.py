"""The index of geofences: which contain a position, while they change."""
