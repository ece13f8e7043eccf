"""Amazon Location's API of 2020-11-19, for trackers and geofences, over what /v1 serves."""
