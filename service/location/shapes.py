"""Requests as the model describes them, read and checked; answers shaped.

What is right is found by msgspec, in one pass over types made of the model. Whatever it refuses is looked at
again by `faults`, which names every fault at once; so is what it cannot see: members given twice, null for a
member that is not there, and exactly one member where the prose says so.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, NotRequired, Required, TypedDict

import msgspec

from ingest.timestamps import iso, milliseconds_of_text
from service.location.errors import FIELD_VALIDATION_FAILED, INVALID, MISSING, Field, ValidationException
from service.location.faults import document, faults, text_pattern, without_nulls
from service.location.limits import Limits
from service.location.model import MODEL, Model, Operation, Shape
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
    _type: Any
    _times: Change | None
    _unions: Sequence["Union"]

    def read(
        self, path: Mapping[str, str], query: Mapping[str, Sequence[str]], body: bytes
    ) -> dict[str, Any]:
        """The input by the model's names: times in milliseconds since the epoch, blobs as bytes.

        What the model does not know is ignored, as are members that are null. Raises ValidationException.
        """
        given = document(body) if body and self._has_body else {}
        said = {**given, **self._elsewhere(path, query)}
        try:
            return self._converted(said)
        except (ValueError, RecursionError):
            said = without_nulls(said)
        found = faults(self._model, self.operation.input, said)
        if found:
            reason = MISSING if all(each.missing for each in found) else FIELD_VALIDATION_FAILED
            raise ValidationException(INVALID, reason, [Field(each.name, each.message) for each in found])
        try:
            return self._converted(said)
        except (ValueError, RecursionError) as error:
            raise ValidationException(f"{INVALID}: {error}") from None

    @property
    def _has_body(self) -> bool:
        members = self._model.shapes[self.operation.input].members.values()
        return any(member.location == "body" for member in members)

    def _elsewhere(self, path: Mapping[str, str], query: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        members = self._model.shapes[self.operation.input].members.items()
        return {
            **{name: path[of.wire_name] for name, of in members if of.location == "uri"},
            **{
                name: list(query[of.wire_name])
                for name, of in members
                if of.location == "querystring" and of.wire_name in query
            },
        }

    def _converted(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Raises ValueError or RecursionError."""
        request: dict[str, Any] = msgspec.convert(said, self._type)
        for union in self._unions:
            union.check(request)
        return request if self._times is None else self._times(request)


def reader(model: Model, name: str) -> Reader:
    """The reader of an operation's requests."""
    operation = model.operations[name]
    made: dict[str, Any] = {}
    return Reader(
        operation,
        model,
        _type(model, operation.input, made),
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
        members = {
            each: (Required if each in shape.required else NotRequired)[_type(model, of.shape, made)]
            for each, of in shape.members.items()
        }
        return TypedDict(name, members)  # type: ignore[operator]  # made of the model
    if shape.type == "list":
        return Annotated[list[_type(model, _of(shape.member), made)], _length(shape)]  # type: ignore[misc]  # as above
    if shape.type == "map":
        key, value = (_type(model, _of(each), made) for each in (shape.key, shape.value))
        return Annotated[dict[key, value], _length(shape)]  # type: ignore[valid-type]  # as above
    return _simple(shape)


def _simple(shape: Shape) -> Any:
    if shape.enum:
        return Literal[shape.enum]
    if shape.type == "string":
        return Annotated[str, _length(shape, text_pattern(shape))]
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
