"""Schedules: weekly hours and recurrences of RFC 5545, in local times of zones."""
