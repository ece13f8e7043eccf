"""Reading of geofences: GeoJSON with every fault named."""
