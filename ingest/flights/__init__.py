"""Flights that are simulated, and the airports between which they fly."""
