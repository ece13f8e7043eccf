"""Airport geofences and expected events, and the builder that fetches the real flights they belong to."""
