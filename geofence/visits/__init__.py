"""Visits: DWELL, and EXIT that waits to be confirmed."""
