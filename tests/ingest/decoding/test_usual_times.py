"""Times as most devices write them are read by columns as they are read one by one."""

from hypothesis import example, given
from hypothesis import strategies as st

from ingest.decoding.usual_times import usual_times
from ingest.timestamps import EARLIEST, LATEST, iso, milliseconds

USUAL = st.integers(EARLIEST, LATEST).map(iso)
DIGITS = st.text("0123456789", min_size=17, max_size=17).map(
    lambda d: f"{d[:4]}-{d[4:6]}-{d[6:8]}T{d[8:10]}:{d[10:12]}:{d[12:14]}.{d[14:]}Z"
)
SAME_DAY = st.integers(0, 86_399_999).map(
    lambda t: f"2018-08-01T{t // 3_600_000:02}:{t // 60_000 % 60:02}:{t // 1000 % 60:02}.{t % 1000:03}Z"
)


@given(st.lists(USUAL, min_size=1) | st.lists(SAME_DAY, min_size=1))
def test_usual_times_are_those_of_the_clock(texts: list[str]) -> None:
    found = usual_times(texts)

    assert found is not None
    assert found.tolist() == [milliseconds(text) for text in texts]


@given(st.lists(USUAL | DIGITS | st.text() | st.integers() | st.floats() | st.none(), min_size=1))
@example(["2018-08-01T05:00:00.000Z\n2018", "-08-01T05:00:00.000Z"])
@example(["2018-08-01T05:00:00.000Z2018", "-08-01T05:00:00.000Z"])
@example(["2018-08-01T05:00:00.000", "Z\n2018-08-01T05:00:00.000Z"])
@example(["2018-02-29T00:00:00.000Z", "2018-02-28T00:00:00.000Z"])
@example(["2018-08-01T24:00:00.000Z"])
@example(["2018-08-01T23:59:60.000Z"])
@example(["0000-08-01T23:59:59.000Z"])
@example(["\uff12018-08-01T23:59:59.000Z"])
def test_what_is_written_in_another_way_is_left_to_who_reads_one_by_one(sent: list[object]) -> None:
    found = usual_times(sent)

    if found is not None:
        assert found.tolist() == [milliseconds(each) for each in sent]
