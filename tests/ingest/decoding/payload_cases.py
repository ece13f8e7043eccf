"""Payloads of one item that devices might send, good and bad, and the reason for which each is refused."""

GOOD = '{"deviceId":"a","timestamp":1533100000,"latitude":1,"longitude":2}'


def with_members(text: str) -> str:
    """A good item with more members."""
    return f"{GOOD[:-1]},{text}}}"


def instead(old: str, new: str) -> str:
    """A good item with another text in one place."""
    assert old in GOOD
    return GOOD.replace(old, new)


def nested(depth: int) -> str:
    """Arrays in arrays."""
    return "[" * depth + "]" * depth


GOOD_ITEMS = [
    GOOD,
    f" {GOOD} \r",
    with_members('"accuracy":null,"x":null'),
    with_members('"accuracy":0'),
    with_members('"accuracy":{"Horizontal":12.5}'),
    with_members('"altitude":"high","speed":[1,{"a":null}],"é":"\\ud83d\\ude00"'),
    with_members('"latitude":"x","latitude":-90'),
    with_members('"x":"\\\\u0000"'),
    with_members(f'"x":{nested(63)}'),
    with_members('"x":' + "1" * 308),
    with_members('"x":1e-400'),
    with_members('"x":"' + "1" * 400 + '"'),
    with_members('"x":"1e400,"'),
    instead('"a"', '"航空機"'),
    instead('"a"', '"4e1234"'),
    instead('"a"', f'"{"a" * 100}"'),
    instead("1533100000", '"2018-08-01T05:00:00.000Z"'),
    instead("1533100000", '"2018-08-01T07:00+02:00"'),
    instead("1533100000", "-1"),
    instead('"latitude":1', '"latitude":-9e1'),
    instead('"longitude":2', '"longitude":-180'),
]

BAD_ITEMS = {
    "broken": "bad_json",
    "{": "bad_json",
    GOOD[:-1]: "bad_json",
    GOOD + GOOD: "bad_json",
    f"{GOOD} {GOOD}": "bad_json",
    GOOD + "}": "bad_json",
    GOOD + "x": "bad_json",
    "NaN": "bad_json",
    '"x"': "not_object",
    "1": "not_object",
    "1e400": "not_object",
    "null": "not_object",
    "{}": "missing",
    instead('"deviceId":"a",', ""): "missing",
    instead('"a"', "null"): "missing",
    instead('"a"', "7"): "bad_device_id",
    instead('"a"', "true"): "bad_device_id",
    instead('"a"', "[]"): "bad_device_id",
    instead('"a"', '""'): "bad_device_id",
    instead('"a"', '"a b"'): "bad_device_id",
    instead('"a"', f'"{"a" * 101}"'): "bad_device_id",
    instead('"a"', '"a\\n"'): "bad_device_id",
    instead('"a"', '"a\\u0000"'): "bad_text",
    instead('"a"', '"\\udc00"'): "bad_text",
    instead("1533100000", "null"): "missing",
    instead("1533100000", "true"): "bad_timestamp",
    instead("1533100000", '"2018-08-01T05:00:00"'): "bad_timestamp",
    instead("1533100000", '"99999-01-01T00:00:00Z"'): "bad_timestamp",
    instead("1533100000", '"2099-01-01T00:00:00Z"'): "in_future",
    instead("1533100000", '"1900-01-01T00:00:00Z"'): "too_old",
    instead("1533100000", "1e400"): "bad_timestamp",
    instead("1533100000", "1" * 5000): "bad_timestamp",
    instead("1533100000", "1e15"): "bad_timestamp",
    instead('"latitude":1,', ""): "missing",
    instead('"latitude":1', '"latitude":91'): "bad_latitude",
    instead('"latitude":1', '"latitude":90.00000000000001'): "bad_latitude",
    instead('"latitude":1', '"latitude":"1"'): "bad_latitude",
    instead('"latitude":1', '"latitude":true'): "bad_latitude",
    instead('"latitude":1', '"latitude":1e400'): "bad_latitude",
    instead('"latitude":1', '"latitude":' + "1" * 5000): "bad_latitude",
    instead('"latitude":1', '"latitude":NaN'): "bad_json",
    instead('"latitude":1', '"latitude":-Infinity'): "bad_json",
    instead('"longitude":2', '"longitude":null'): "missing",
    instead('"longitude":2', '"longitude":-180.1'): "bad_longitude",
    instead('"longitude":2', '"longitude":{}'): "bad_longitude",
    with_members('"accuracy":-1'): "bad_accuracy",
    with_members('"accuracy":true'): "bad_accuracy",
    with_members('"accuracy":"5"'): "bad_accuracy",
    with_members('"accuracy":1e400'): "bad_accuracy",
    with_members('"accuracy":' + "1" * 400): "bad_accuracy",
    with_members('"accuracy":NaN'): "bad_json",
    with_members('"accuracy":{"Horizontal":-1}'): "bad_accuracy",
    with_members('"accuracy":{"Horizontal":null}'): "bad_accuracy",
    with_members('"accuracy":{"Horizontal":1,"Vertical":2}'): "bad_accuracy",
    with_members('"x":1e400'): "bad_number",
    with_members('"x":[-1e999]'): "bad_number",
    with_members('"x":1E+00000400'): "bad_number",
    with_members('"x":' + "1" * 400): "bad_number",
    with_members('"x":' + "1" * 260 + "e99"): "bad_number",
    with_members('"x":' + "1" * 5000): "bad_number",
    with_members('"x":1e400,"x":1'): "bad_json",
    with_members('"x":Infinity'): "bad_json",
    with_members('"x":"\\u0000"'): "bad_text",
    with_members('"x":["a",{"\\u0000":1}]'): "bad_text",
    with_members('"\\u0000":null'): "bad_text",
    with_members('"x":"\\u0000","x":1'): "bad_text",
    with_members('"x":"\\ud800 and more"'): "bad_text",
    with_members('"x":{"\\ud800\\u0041":1}'): "bad_text",
    with_members('"x":"' + "x" * 9000 + '"'): "too_large",
    with_members(f'"x":[{"1e15," * 1700}1]'): "too_large",
    with_members(",".join(f'"{number}":1' for number in range(2000))): "too_large",
    with_members(f'"x":{nested(64)}'): "too_deep",
    with_members(f'"x":{nested(300)}'): "too_deep",
    with_members(f'"x":{nested(100_000)}'): "too_deep",
    with_members('"x":' + '{"a":' * 2000 + "1" + "}" * 2000): "too_deep",
    with_members('"x":"\udcff"'): "bad_encoding",  # byte 0xff, by surrogateescape
    with_members('"x":"\udced\udca0\udc80"'): "bad_encoding",  # U+D800 as UTF-8 would have it
    with_members('"x":1,"\udcc0\udc80":1'): "bad_encoding",  # NUL, too long
    with_members('"x":"\udce2\udc82"'): "bad_encoding",  # cut off
    "\ufeff" + GOOD: "bad_json",
    with_members('"x":"\0"'): "bad_json",
    with_members('"x":"\t"'): "bad_json",
    with_members('"x":01'): "bad_json",
    with_members('"x":.5'): "bad_json",
    with_members("x:1"): "bad_json",
    GOOD.replace('"', "'"): "bad_json",
}
"""Texts with wrong UTF-8 hold its bytes by surrogateescape: `raw` gives the bytes."""


def raw(item: str) -> bytes:
    """The bytes of an item."""
    return item.encode("utf-8", "surrogateescape")
