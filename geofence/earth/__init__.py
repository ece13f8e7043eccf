"""The Earth: WGS84, its geodesics, and circles and edges on it."""
