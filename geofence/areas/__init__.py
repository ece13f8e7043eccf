"""Areas: what geofences cover, made ready for the exact test of many positions."""
