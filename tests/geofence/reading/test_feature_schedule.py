"""Schedules in GeoJSON: what is taken, how each fault is named, and that writing reads back the same."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geofence.faults import InvalidGeofences
from geofence.reading.feature_schedule import MEMBERS, MOST_NAMED, WEEKDAYS
from geofence.reading.geojson import feature_text, read_geofence
from geofence.schedules.recurrence import Frequency, Recurrence, Rule
from geofence.schedules.timetable import Timetable
from geofence.schedules.weekly_hours import WeeklyHours
from tests.geofence.schedules.reference import Json, schedules

WEEKLY: Json = {"zone": "Europe/Zurich", "weekly": {"monday": [["08:00", "12:00"]]}}
RULE: Json = {"zone": "UTC", "start": "2026-01-01T08:00", "rrule": "FREQ=DAILY", "duration": "PT8H"}


def feature(schedule: object) -> bytes:
    geometry = {"type": "Point", "coordinates": [8.5, 47.5]}
    properties = {"radius": 500, "schedule": schedule}
    return json.dumps({"type": "Feature", "geometry": geometry, "properties": properties}).encode()


def read(schedule: object) -> Timetable | None:
    geofence = read_geofence(feature(schedule), "a")
    again = read_geofence(feature_text(geofence).encode(), "a")
    assert again.conditions == geofence.conditions
    return geofence.conditions.schedule


def faults(schedule: object) -> list[str]:
    with pytest.raises(InvalidGeofences) as caught:
        read_geofence(feature(schedule), "a")
    assert {fault.reason for fault in caught.value.faults} == {"schedule"}
    return [fault.detail for fault in caught.value.faults]


def test_weekly_hours_are_read_with_their_exceptions() -> None:
    weekly = {
        "monday": [["08:00", "12:00"], ["13:00", "24:00"]],
        "tuesday": None,
        "sunday": [["22:00", "06:00"]],
    }
    exceptions = ["1970-01-02", "1970-01-01T01:30", "1970-01-01T01:30:00"]
    assert read(
        {"zone": "Europe/Zurich", "weekly": weekly, "except": exceptions, "start": None}
    ) == Timetable(
        "Europe/Zurich",
        WeeklyHours(((0, 480, 720), (0, 780, 1440), (6, 1320, 360))),
        except_days=(1,),
        except_minutes=(90,),
    )


def test_a_rule_is_read_whole() -> None:
    rule = (
        "RRULE:freq=yearly;INTERVAL=2;WKST=SU;BYMONTH=3,1;BYDAY=MO,-1FR;BYHOUR=9,8;BYMINUTE=30;BYSETPOS=1,-2"
    )
    expected = Rule(
        Frequency.YEARLY,
        interval=2,
        week_start=6,
        months=(1, 3),
        week_days=((-1, 4), (0, 0)),
        hours=(8, 9),
        minutes=(30,),
        places=(-2, 1),
    )
    schedule = {**RULE, "rrule": f"{rule};UNTIL=20260105T000030Z", "duration": "P1W"}
    hours = Recurrence(29454240, expected, 7, 0, 1767571230000)
    assert read({**schedule, "start": "2026-01-01T08:00"}) == Timetable("UTC", hours)


@pytest.mark.parametrize(
    ("duration", "length"),
    [
        ("PT15M", (0, 15)),
        ("P1DT2H30M", (1, 150)),
        ("PT36H", (0, 2160)),
        ("P2W", (14, 0)),
        ("P366D", (366, 0)),
    ],
)
def test_a_duration_has_days_and_minutes(duration: str, length: tuple[int, int]) -> None:
    timetable = read({**RULE, "duration": duration})
    assert timetable is not None
    assert isinstance(timetable.hours, Recurrence)
    assert (timetable.hours.days, timetable.hours.minutes) == length


@given(schedule=schedules())
@settings(max_examples=200, deadline=None)
def test_whatever_is_taken_is_read_back_the_same_from_what_is_written(schedule: Json) -> None:
    assert read(schedule) is not None


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ("always", ['schedule is "always": expected {"zone": "Europe/Zurich", "weekly"']),
        ({**WEEKLY, "hours": 5}, ['schedule has a member "hours": expected only zone, weekly, start, rrule']),
        ({**WEEKLY, "zone": "CEST+1"}, ['schedule.zone is "CEST+1": expected the name of an IANA time zone']),
        ({"weekly": WEEKLY["weekly"]}, ["schedule has no zone: expected the name"]),
        (
            {"zone": "UTC"},
            ["schedule has neither weekly nor rrule: expected either weekly, or start, rrule and"],
        ),
        ({**WEEKLY, "rrule": "FREQ=DAILY"}, ["schedule has weekly and rrule: expected either"]),
        ({**WEEKLY, "weekly": []}, ["schedule.weekly is an array: expected an object of days"]),
        ({**WEEKLY, "weekly": {"monday": []}}, ["schedule.weekly has no windows: expected at least one"]),
        ({**WEEKLY, "weekly": {"Mon": [1]}}, ['schedule.weekly has a day "Mon": expected monday, tuesday,']),
        (
            {**WEEKLY, "weekly": {"monday": "x"}},
            ['schedule.weekly.monday is "x": expected an array of up to 24'],
        ),
        (
            {**WEEKLY, "weekly": {"monday": [["00:00", "01:00"]] * 25}},
            ["schedule.weekly.monday holds 25 windows: expected an array of up to 24 windows"],
        ),
        (
            {
                **WEEKLY,
                "weekly": {"monday": [["8:00", "25:00"], ["24:00", "24:01"], ["08:00"], ["08:00", "08:00"]]},
            },
            [
                'schedule.weekly.monday item 0 begins at "8:00": expected hours and minutes such as "08:00"',
                'schedule.weekly.monday item 0 ends at "25:00": expected hours and minutes such as "08:00"',
                'schedule.weekly.monday item 1 begins at "24:00": expected',
                'schedule.weekly.monday item 1 ends at "24:01": expected',
                "schedule.weekly.monday item 2 is an array: expected begin and end",
                'schedule.weekly.monday item 3 begins and ends at "08:00": expected another end',
            ],
        ),
        (
            {**WEEKLY, "except": "2026-01-01"},
            ['schedule.except is "2026-01-01": expected an array of up to 1,000'],
        ),
        (
            {**WEEKLY, "except": [1] * 1001},
            ["schedule.except holds 1,001 items: expected an array of up to 1,000"],
        ),
        (
            {**WEEKLY, "except": ["2026-01-01", "2026-02-29", "1899-12-31", "2026-01-01T08:00Z"]},
            [
                'schedule.except item 1 is "2026-02-29": expected the like of "2026-12-25"',
                'schedule.except item 2 is "1899-12-31": expected the like',
                'schedule.except item 3 is "2026-01-01T08:00Z": expected the like',
            ],
        ),
        ({**RULE, "start": "2026-01-01"}, ['schedule.start is "2026-01-01": expected a local date and time']),
        ({**RULE, "start": "9999-01-01T00:00"}, ["of the years 1900 to 2199"]),
        ({**RULE, "start": "0001-01-01T00:00"}, ["of the years 1900 to 2199"]),
        ({**RULE, "start": None}, ["schedule.start is null: expected"]),
        ({**RULE, "duration": None}, ["schedule.duration is null: expected days, hours and minutes"]),
        *(
            (
                {**RULE, "duration": duration},
                [f'schedule.duration is "{duration}": expected days, hours and minutes'],
            )
            for duration in (
                "PT0M",
                "P",
                "PT",
                "P1M",
                "P1Y",
                "PT30S",
                "-PT1H",
                "P367D",
                "P1WT1H",
                "PT8784H1M",
            )
        ),
        ({**RULE, "rrule": 5}, ["schedule.rrule is 5: expected a rule of up to 1,000 characters"]),
        ({**RULE, "rrule": "X" * 1001}, ["schedule.rrule has 1,001 characters: expected a rule"]),
        ({**RULE, "rrule": None}, ["schedule.rrule is null: expected a rule"]),
    ],
)
def test_a_fault_names_the_member_the_value_and_what_would_be_right(
    schedule: object, said: list[str]
) -> None:
    found = faults(schedule)
    assert len(found) == len(said)
    assert all(part in detail for part, detail in zip(said, found, strict=True)), found


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("", ["0 characters: expected a rule of up to 1,000 characters"]),
        ("BYDAY=MO", ["no FREQ: expected YEARLY, MONTHLY"]),
        ("FREQ=", ["FREQ=: expected YEARLY, MONTHLY"]),
        (
            "FREQ=DAILY;X=5;;BYEASTER=0",
            ['part "X=5": expected', 'part "": expected', 'part "BYEASTER=0": expected'],
        ),
        ("FREQ=DAILY;FREQ=DAILY", ["FREQ twice: expected each part once"]),
        ("FREQ=SECONDLY", ["FREQ=SECONDLY: expected YEARLY, MONTHLY, WEEKLY, DAILY, HOURLY (BYMINUTE gives"]),
        ("FREQ=MINUTELY", ["FREQ=MINUTELY: expected YEARLY, MONTHLY, WEEKLY, DAILY, HOURLY (BYMINUTE gives"]),
        ("FREQ=DAILY;BYSECOND=5", ['part "BYSECOND=5": expected FREQ, INTERVAL']),
        ("FREQ=DAILY;INTERVAL=0", ["INTERVAL=0: expected 1 to 10,000"]),
        ("FREQ=DAILY;INTERVAL=1e3", ["INTERVAL=1E3: expected 1 to 10,000"]),
        ("FREQ=DAILY;COUNT=1000000000", ["COUNT=1000000000: expected 1 to 100,000"]),
        ("FREQ=DAILY;COUNT=", ["COUNT=: expected 1 to 100,000"]),
        ("FREQ=DAILY;COUNT=5;UNTIL=20260101T000000Z", ["COUNT and UNTIL: expected one of them at most"]),
        ("FREQ=DAILY;UNTIL=20260101", ["UNTIL=20260101: expected a time such as 20261231T235959 (local)"]),
        ("FREQ=DAILY;UNTIL=20261301T000000", ["UNTIL=20261301T000000: expected a time"]),
        ("FREQ=DAILY;UNTIL=99991231T000000", ["UNTIL=99991231T000000: expected a time"]),
        ("FREQ=DAILY;COUNT=1=2", ["COUNT=1=2: expected 1 to 100,000"]),
        ("FREQ=DAILY;WKST=XX", ["WKST=XX: expected one of MO, TU, WE, TH, FR, SA, SU"]),
        ("FREQ=DAILY;BYMONTH=0,13,-1", ['"0" in BYMONTH: expected 1 to 12', '"13" in', '"-1" in']),
        (
            "FREQ=DAILY;BYHOUR=24;BYMINUTE=60",
            ['"24" in BYHOUR: expected 0 to 23', '"60" in BYMINUTE: expected 0 to'],
        ),
        ("FREQ=MONTHLY;BYMONTHDAY=0,32", ['"0" in BYMONTHDAY: expected 1 to 31 or -31 to -1', '"32" in']),
        ("FREQ=YEARLY;BYYEARDAY=,-367", ['"" in BYYEARDAY: expected 1 to 366 or -366 to -1', '"-367" in']),
        ("FREQ=MONTHLY;BYDAY=XX,0MO,54TU", ['"XX" in BYDAY: expected MO, TU', '"0MO" in', '"54TU" in']),
        (
            "FREQ=WEEKLY;BYDAY=1MO",
            ["numbers in BYDAY with FREQ=WEEKLY: expected them with FREQ=YEARLY or MONTHLY"],
        ),
        (
            "FREQ=YEARLY;BYWEEKNO=5;BYDAY=1MO",
            ["numbers in BYDAY with BYWEEKNO: expected days without numbers"],
        ),
        (
            "FREQ=MONTHLY;BYWEEKNO=5;BYDAY=MO",
            ["BYWEEKNO with FREQ=MONTHLY: expected it with FREQ=YEARLY only"],
        ),
        ("FREQ=YEARLY;BYWEEKNO=5", ["BYWEEKNO and no BYDAY: expected BYDAY too"]),
        (
            "FREQ=DAILY;BYYEARDAY=5",
            ["BYYEARDAY with FREQ=DAILY: expected it with FREQ=YEARLY or HOURLY only"],
        ),
        ("FREQ=WEEKLY;BYMONTHDAY=5", ["BYMONTHDAY with FREQ=WEEKLY: expected it with another FREQ"]),
        (
            "FREQ=YEARLY;BYMONTHDAY=5",
            ["BYMONTHDAY with FREQ=YEARLY and no BYMONTH: expected BYMONTH too, or"],
        ),
        ("FREQ=MONTHLY;BYSETPOS=1", ["BYSETPOS alone: expected another part for it to choose from"]),
        ("FREQ=HOURLY;BYMINUTE=0,30", ["windows that begin 48 times a day: expected up to 24"]),
        (
            "FREQ=HOURLY;INTERVAL=5;BYMINUTE=0,10,20,30,40",
            ["windows that begin 25 times a day: expected up to"],
        ),
    ],
)
def test_a_fault_of_a_rule_names_its_part_and_what_would_be_right(rule: str, said: list[str]) -> None:
    found = faults({**RULE, "rrule": rule})
    assert len(found) == len(said)
    wanted = zip(said, found, strict=True)
    assert all(detail.startswith("schedule.rrule has ") and part in detail for part, detail in wanted), found


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=HOURLY",
        "FREQ=HOURLY;INTERVAL=2;BYMINUTE=0,30",
        "FREQ=DAILY;BYHOUR=9,10,11,12;BYMINUTE=0,10,20,30,40,50",
        "FREQ=WEEKLY;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11;BYMINUTE=0,30",
        "FREQ=YEARLY;BYDAY=53MO,-53MO",
        "FREQ=DAILY;UNTIL=19000101T000000Z",
        "FREQ=DAILY;UNTIL=21991231T235959Z",
    ],
)
def test_a_rule_may_go_to_the_limits(rule: str) -> None:
    """Windows that begin 24 times a day, the 53rd Monday, the first and the last year."""
    assert read({**RULE, "rrule": rule}) is not None


def test_a_rule_in_other_letters_than_rfc_5545s_is_refused_as_a_whole() -> None:
    (detail,) = faults({**RULE, "rrule": "FREQ=DA\u0131LY"})
    assert detail.endswith("expected letters of ASCII alone, as RFC 5545 has them")


def test_faults_in_several_members_are_named_at_once() -> None:
    found = faults({"zone": 5, "start": "x", "rrule": "FREQ=X", "duration": "x", "except": [5]})
    assert [detail.split(" ")[0].removeprefix("schedule.") for detail in found] == [
        *("zone", "start", "duration", "rrule", "except"),
    ]


def test_of_very_many_wrong_members_only_the_first_are_named() -> None:
    many = {str(number): [] for number in range(10_000)}
    assert len(faults({**many, **WEEKLY})) == MOST_NAMED
    assert len(faults({**WEEKLY, "weekly": many})) == MOST_NAMED + 1


values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*MEMBERS, *WEEKDAYS, "x"]), inner, max_size=4)
    ),
    max_leaves=8,
)
texts = st.from_regex(
    r"(FREQ=[A-Z]{5,8})?(;(BY[A-Z]{3,8}|COUNT|UNTIL|INTERVAL|WKST)=[-+0-9A-Z,]{0,9}){0,4}", fullmatch=True
)


@given(
    schedule=values
    | st.fixed_dictionaries({}, optional=dict.fromkeys(MEMBERS, values))
    | texts.map(lambda rule: {**RULE, "rrule": rule})
)
@settings(max_examples=300, deadline=None)
def test_whatever_stands_there_is_taken_or_refused_with_what_would_be_right(schedule: object) -> None:
    try:
        read_geofence(feature(schedule), "a")
    except InvalidGeofences as error:
        assert all(fault.detail.count("expected") >= 1 for fault in error.faults)
