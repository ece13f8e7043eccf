"""A geodesic stays within the margins of its chords."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from geofence.forecasting.course import Course, chords

SHARES = np.linspace(0, 1, 41)
ROUNDING = 1e-11
"""Degrees."""


@given(
    st.builds(
        Course, st.floats(-180, 180), st.floats(-89.9, 89.9), st.floats(0, 360), st.floats(1_000, 5_000_000)
    ),
    st.sampled_from([0.5, 0.25, 1 / 8, 1 / 32]),
)
@example(Course(0, 89, 45, 100_000), 0.5)
@example(Course(0, -80, 95, 800_000), 0.5)
@example(Course(10, 70, 60, 1_900_000), 0.5)
def test_a_geodesic_is_nowhere_farther_from_its_chord_than_is_said(course: Course, half: float) -> None:
    chord = chords(course, np.array([1 - half]), half)
    if not chord.flat[0]:
        return
    share = chord.start + SHARES * (chord.end - chord.start)
    longitude, latitude, _ = course.at(share)
    away = longitude - (chord.longitude + SHARES * chord.longitude_step)
    away -= 360 * np.round(away / 360)
    assert (np.abs(away) <= chord.longitude_margin + ROUNDING).all()
    assert (
        np.abs(latitude - chord.latitude - SHARES * chord.latitude_step) <= chord.latitude_margin + ROUNDING
    ).all()
