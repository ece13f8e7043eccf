"""Tags as boto3 asks for them."""

from typing import Any

import pytest

from tests.amazon import same

ARNS = {
    "tracker": "arn:aws:geo:us-east-1:000000000000:tracker/default",
    "collection": "arn:aws:geo:us-east-1:000000000000:geofence-collection/default",
}


@same("TagResource", "UntagResource", "ListTagsForResource")
@pytest.mark.parametrize("kind", list(ARNS))
def test_tags_are_added_replaced_and_taken_away(location: Any, kind: str) -> None:
    location.tag_resource(ResourceArn=ARNS[kind], Tags={"team": "north", "a b/c": "=", "x": ""})
    location.tag_resource(ResourceArn=ARNS[kind], Tags={"team": "south"})
    location.untag_resource(ResourceArn=ARNS[kind], TagKeys=["x", "nobody"])
    tags = location.list_tags_for_resource(ResourceArn=ARNS[kind])["Tags"]
    assert tags == {"team": "south", "a b/c": "="}
    other = next(arn for each, arn in ARNS.items() if each != kind)
    assert location.list_tags_for_resource(ResourceArn=other)["Tags"] == {}
    assert location.describe_tracker(TrackerName="default")["Tags"] == (tags if kind == "tracker" else {})


@same("TagResource")
def test_a_resource_has_at_most_fifty_tags(location: Any) -> None:
    arn = ARNS["tracker"]
    location.tag_resource(ResourceArn=arn, Tags={str(number): "" for number in range(50)})
    location.tag_resource(ResourceArn=arn, Tags={"7": "seven"})
    with pytest.raises(location.exceptions.ValidationException) as raised:
        location.tag_resource(ResourceArn=arn, Tags={"50": ""})
    assert [field["Name"] for field in raised.value.response["FieldList"]] == ["Tags"]
    assert len(location.list_tags_for_resource(ResourceArn=arn)["Tags"]) == 50


@same("TagResource", "UntagResource")
def test_tags_of_amazons_own_are_not_touched(location: Any) -> None:
    for ask in (
        lambda: location.tag_resource(ResourceArn=ARNS["tracker"], Tags={"aws:x": "y"}),
        lambda: location.untag_resource(ResourceArn=ARNS["tracker"], TagKeys=["a", "Aws:x"]),
    ):
        with pytest.raises(location.exceptions.ValidationException):
            ask()


@same("TagResource", "UntagResource", "ListTagsForResource")
def test_tags_of_what_is_not_here_are_not_found(location: Any) -> None:
    for arn in (ARNS["tracker"] + "s", ARNS["tracker"].replace("tracker/", "map/"), "arn:aws:s3:::bucket"):
        for ask in (
            lambda arn=arn: location.tag_resource(ResourceArn=arn, Tags={"a": "b"}),
            lambda arn=arn: location.untag_resource(ResourceArn=arn, TagKeys=["a"]),
            lambda arn=arn: location.list_tags_for_resource(ResourceArn=arn),
        ):
            with pytest.raises(location.exceptions.ResourceNotFoundException):
                ask()
