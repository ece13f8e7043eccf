"""Evaluation: from fixes and geofences to events, through the rooms below."""
