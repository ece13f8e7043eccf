"""What is wrong with one item of a payload, and values shown in sentences without harm."""

SHOWN = 80
"""Characters of a value that a sentence shows at most."""


class Fault(Exception):
    """Why an item is refused; inside `ingest` only, `decode` turns it into a Reject.

    `what` names the field and its value, `expected` says what would be right; the place comes between:
    `latitude 91.2 at item 3: expected -90..90`. `device_id` is what the item calls its device, if known.
    """

    def __init__(self, reason: str, what: str, expected: str, device_id: object = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.what = what
        self.expected = expected
        self.device_id = device_id

    def detail(self, where: str) -> str:
        """The whole sentence; `where` is '' or begins with a space."""
        return f"{self.what}{where}: {self.expected}"


class Literal(str):
    """A number as it was written that no double can hold (1e400), or one that JSON does not have (NaN)."""

    __slots__ = ()


def shown(value: object) -> str:
    """A decoded JSON value on one line of at most about 80 characters, control characters escaped."""
    match value:
        case Literal():
            text = _shortened(value)
        case str():
            text = f'"{_shortened(value)}"'
        case None | bool():
            text = {None: "null", True: "true", False: "false"}[value]
        case int() if value.bit_length() > 256:  # the digits of a long integer take long to find
            text = f"an integer of some {value.bit_length() * 3 // 10} digits"
        case int() | float():
            text = repr(value)
        case _:
            text = "an object" if isinstance(value, dict) else "an array"
    return text


def _shortened(text: str) -> str:
    escaped = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text[: SHOWN + 1]
    )
    return escaped if len(escaped) <= SHOWN else escaped[:SHOWN] + "…"
