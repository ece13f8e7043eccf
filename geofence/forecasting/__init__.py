"""Forecasts: what a device may cross next. A room of its own, since nothing that evaluates needs it."""
