"""Fixes as columns: positions of devices, numbered by device and time, and the changes found at them."""
