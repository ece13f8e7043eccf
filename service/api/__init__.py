"""The REST API: thin routes, one noun a file, over reading queries, tracker and geofence catalog."""
