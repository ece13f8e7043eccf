"""Requests as the model describes them, read and checked; answers shaped.

What is right is found by msgspec, in one pass over types made of the model. Whatever it refuses is looked at
again by `faults`, which names every fault at once; so is what it cannot see: members given twice, which make
the text longer by a colon each than what was read of it, members that it does not know, and NUL.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, NotRequired, Required, TypedDict

import msgspec

from ingest.timestamps import iso, milliseconds_of_text
from service.location.errors import FIELD_VALIDATION_FAILED, INVALID, MISSING, Field, ValidationException
from service.location.faults import document, faults, without_nulls
from service.location.limits import Limits
from service.location.model import MODEL, Model, Operation, Shape, python_pattern
from service.location.prose import EXACTLY_ONE

Change = Callable[[Any], Any]
"""Gives back a value with the times in it as milliseconds, or as texts. Raises ValueError."""

NUMBERS: Final = {"integer": int, "double": float, "float": float}
UPDATES: Final = "BatchUpdateDevicePositionRequestUpdatesList"


def limited(limits: Limits) -> Model:
    """The model with those of its limits that may be lifted."""
    updates = msgspec.structs.replace(MODEL.shapes[UPDATES], max=limits.updates_per_batch)
    return Model(MODEL.operations, {**MODEL.shapes, UPDATES: updates})


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the requests of one operation."""

    operation: Operation
    _model: Model
    _elsewhere: "Elsewhere"
    _body: msgspec.json.Decoder[dict[str, Any]] | None
    _times: Change | None
    _unions: Sequence["Union"]

    def read(
        self, path: Mapping[str, str], query: Mapping[str, Sequence[str]], body: bytes
    ) -> dict[str, Any]:
        """The input by the model's names: times in milliseconds since the epoch, blobs as bytes.

        What the model does not know is ignored, as are members that are null. Raises ValidationException.
        """
        try:
            return self._right(self._elsewhere.said(path, query), self._members(body))
        except (ValueError, RecursionError):
            return self._explained(self._elsewhere.said(path, query), body)

    def _members(self, body: bytes) -> dict[str, Any]:
        """Those of a body in which all is usual. Raises ValueError or RecursionError."""
        if self._body is None:
            return {}
        members = self._body.decode(body or b"{}")
        if body and (b"\\u00" in body or body.count(b":") != msgspec.json.encode(members).count(b":")):
            raise ValueError("NUL or a colon in disguise, members given twice or unknown ones")
        return members

    def _right(self, elsewhere: Mapping[str, Any], members: Mapping[str, Any]) -> dict[str, Any]:
        """Raises ValueError."""
        request = {**members, **msgspec.convert(elsewhere, self._elsewhere.type)}
        for union in self._unions:
            union.check(request)
        return request if self._times is None else self._times(request)

    def _explained(self, elsewhere: Mapping[str, Any], body: bytes) -> dict[str, Any]:
        """The same for any body, or every fault of it. Raises ValidationException."""
        members = without_nulls(document(body)) if body and self._body else {}
        said = {**members, **elsewhere}
        found = faults(self._model, self.operation.input, said)
        if found:
            reason = MISSING if all(each.missing for each in found) else FIELD_VALIDATION_FAILED
            raise ValidationException(INVALID, reason, [Field(each.name, each.message) for each in found])
        try:
            return self._right(elsewhere, msgspec.convert(members, self._body.type) if self._body else {})
        except (ValueError, RecursionError) as error:
            raise ValidationException(f"{INVALID}: {error}") from None


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What is said in path and query, by the model's names, and its type."""

    uri: Mapping[str, str]
    querystring: Mapping[str, str]
    type: Any

    def said(self, path: Mapping[str, str], query: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        said: dict[str, Any] = {name: path[wire_name] for name, wire_name in self.uri.items()}
        for name, wire_name in self.querystring.items():
            if wire_name in query:
                said[name] = list(query[wire_name])
        return said


def reader(model: Model, name: str) -> Reader:
    """The reader of an operation's requests."""
    operation = model.operations[name]
    in_body = model.input_members(name, "body")
    uri, querystring = (
        {each: member.wire_name for each, member in model.input_members(name, location).items()}
        for location in ("uri", "querystring")
    )
    made: dict[str, Any] = {}
    shape = model.shapes[operation.input]
    return Reader(
        operation,
        model,
        Elsewhere(uri, querystring, _structure(model, "Elsewhere", shape, (*uri, *querystring), made)),
        msgspec.json.Decoder(_structure(model, "Body", shape, tuple(in_body), made)) if in_body else None,
        _change(model, operation.input, _milliseconds),
        list(_unions(model, operation.input, ())),
    )


def shaper(model: Model, name: str) -> Change:
    """What makes an answer of an operation out of its output by the model's names."""
    return _change(model, model.operations[name].output, iso) or (lambda output: output)


# Types


def _type(model: Model, name: str, made: dict[str, Any]) -> Any:
    shape = model.shapes[name]
    if name not in made:
        made[name] = _made(model, name, shape, made)
    return made[name]


def _made(model: Model, name: str, shape: Shape, made: dict[str, Any]) -> Any:
    if shape.type == "structure":
        return _structure(model, name, shape, tuple(shape.members), made)
    if shape.type == "list":
        return Annotated[list[_type(model, _of(shape.member), made)], _length(shape)]  # type: ignore[misc]  # made of the model
    if shape.type == "map":
        key, value = (_type(model, _of(each), made) for each in (shape.key, shape.value))
        return Annotated[dict[key, value], _length(shape)]  # type: ignore[valid-type]  # as above
    return _simple(shape)


def _structure(model: Model, name: str, shape: Shape, members: Sequence[str], made: dict[str, Any]) -> Any:
    """Of some of its members."""
    types = {
        each: (Required if each in shape.required else NotRequired)[
            _type(model, shape.members[each].shape, made)
        ]
        for each in members
    }
    return TypedDict(name, types)  # type: ignore[operator]  # as above


def _simple(shape: Shape) -> Any:
    if shape.enum:
        return Literal[shape.enum]
    if shape.type == "string":
        pattern = None if shape.pattern is None else python_pattern(shape.pattern)
        return Annotated[str, _length(shape, pattern)]
    if shape.type == "blob":
        return Annotated[bytes, _length(shape)]
    if shape.type in NUMBERS:
        return Annotated[NUMBERS[shape.type], msgspec.Meta(ge=shape.min, le=shape.max)]
    return {"timestamp": str, "boolean": bool}[shape.type]


def _length(shape: Shape, pattern: str | None = None) -> msgspec.Meta:
    least, most = (None if each is None else int(each) for each in (shape.min, shape.max))
    return msgspec.Meta(min_length=least or None, max_length=most, pattern=pattern)


def _of(name: str | None) -> str:
    assert name is not None  # noqa: S101 - narrows the type: lists have members, maps keys and values
    return name


# Times


def _milliseconds(text: str) -> int:
    time = milliseconds_of_text(text)
    if time is None:
        raise ValueError(text)
    return time


def _change(model: Model, name: str, change: Change) -> Change | None:
    """What changes the times in values of a shape; None where there are none."""
    shape = model.shapes[name]
    if shape.type == "timestamp":
        return change
    if shape.type == "list":
        each = _change(model, _of(shape.member), change)
        return None if each is None else lambda values: [each(value) for value in values]
    if shape.type != "structure":
        return None
    parts = [(name, part) for name, of in shape.members.items() if (part := _change(model, of.shape, change))]

    def changed(members: Mapping[str, Any]) -> dict[str, Any]:
        copy = dict(members)
        for member, part in parts:
            if member in copy:
                copy[member] = part(copy[member])
        return copy

    return changed if parts else None


# Unions


@dataclass(frozen=True, slots=True)
class Union:
    """Where a request has a structure of which one member is given: `steps` are names, None is each entry."""

    steps: tuple[str | None, ...]
    members: tuple[str, ...]

    def check(self, value: Any, at: int = 0) -> None:
        """Raises ValueError where there is another number of them."""
        if at == len(self.steps):
            if len(value) != 1:
                raise ValueError(f"expected exactly one of {', '.join(self.members)}")
            return
        step = self.steps[at]
        if step is None:
            for each in value:
                self.check(each, at + 1)
        elif step in value:
            self.check(value[step], at + 1)


def _unions(model: Model, name: str, steps: tuple[str | None, ...]) -> Sequence[Union]:
    shape = model.shapes[name]
    if name in EXACTLY_ONE:
        return [Union(steps, EXACTLY_ONE[name])]
    if shape.type == "list":
        return _unions(model, _of(shape.member), (*steps, None))
    members = shape.members.items()
    return [union for each, of in members for union in _unions(model, of.shape, (*steps, each))]
