"""What is taken of the properties that devices report."""

import pytest

from geofence.conditions.property_filter import LONGEST, PropertyFilter, reported


def takes(properties: str, *patterns: str) -> bool:
    return PropertyFilter([("a", patterns)]).takes(reported(properties))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('"SWR12"', "SWR12"),
        ('""', ""),
        ('"\\u00e9 \\""', 'é "'),
        ("5", "5"),
        ("-0.5", "-0.5"),
        ("0.50", "0.5"),
        ("1E30", "1e+30"),
        ("225.0", "225"),
        ("2.25e2", "225"),
        ("12345678901234567890", "12345678901234567890"),
        ("-12345678901234567891", "-12345678901234567891"),
        ("true", "true"),
        ("false", "false"),
    ],
)
def test_a_text_is_itself_and_a_number_its_shortest_text(value: str, text: str) -> None:
    assert takes(f'{{"a":{value}}}', text)
    assert takes(f'{{"a":{value}}}', "*")
    assert not takes(f'{{"a":{value}}}', text + "x")


@pytest.mark.parametrize("properties", ["", "{}", '{"b":"x"}', '{"a":null}', '{"a":["x"]}', '{"a":{"x":1}}'])
def test_what_is_not_reported_or_no_single_value_matches_nothing(properties: str) -> None:
    assert not takes(properties, "*")


def test_each_property_must_match_one_of_its_patterns() -> None:
    asked = PropertyFilter([("a", ("x*", "y")), ("b", ("?",))])
    found = {
        properties: asked.takes(reported(properties))
        for properties in ('{"a":"x1","b":5}', '{"a":"y","b":"z","c":1}', '{"a":"y"}', '{"a":"z","b":5}')
    }
    assert list(found.values()) == [True, True, False, False]


def test_patterns_are_tried_on_texts_of_a_bounded_length() -> None:
    assert takes(f'{{"a":"{"x" * LONGEST}"}}', "*")
    assert not takes(f'{{"a":"{"x" * (LONGEST + 1)}"}}', "*")
