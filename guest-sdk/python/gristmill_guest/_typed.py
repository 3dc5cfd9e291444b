"""Values of JSON as the types that a job's signature names."""

from __future__ import annotations

import dataclasses
import types
from typing import Any, Union, get_args, get_origin, get_type_hints


class Misfit(Exception):
    """A value isn't of the type."""


def typed(kind: Any, value: Any, at: str = "") -> Any:
    """The value as this type: dataclasses are made, the types of JSON are checked.

    A type that isn't known here is its author's matter, and the value is as JSON has it.
    """
    if kind is Any or kind is object:
        return value
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind, value, at)
    origin, of = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _union(kind, value, at)
    if kind in (None, type(None)):
        return _expect(value is None, "null", value, at)
    if kind is bool:
        return _expect(isinstance(value, bool), "true or false", value, at)
    if kind is int:
        number = isinstance(value, int) and not isinstance(value, bool)
        return _expect(number, "a whole number", value, at)
    if kind is float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return float(_expect(number, "a number", value, at))
    if kind is str:
        return _expect(isinstance(value, str), "a string", value, at)
    if (origin or kind) is list:
        _expect(isinstance(value, list), "an array", value, at)
        inner = of[0] if of else Any
        return [typed(inner, item, f"{at}[{index}]") for index, item in enumerate(value)]
    if (origin or kind) is dict:
        _expect(isinstance(value, dict), "an object", value, at)
        inner = of[1] if of else Any
        return {key: typed(inner, item, _under(at, key)) for key, item in value.items()}
    return value


def takes_nothing(kind: Any) -> bool:
    """Whether an absent input, which is null, fits the type."""
    try:
        typed(kind, None)
    except Misfit:
        return False
    return True


def _dataclass(kind: Any, value: Any, at: str) -> Any:
    _expect(isinstance(value, dict), "an object", value, at)
    hints = get_type_hints(kind)
    given = {}
    for field in dataclasses.fields(kind):
        if not field.init:
            continue
        if field.name in value:
            given[field.name] = typed(hints[field.name], value[field.name], _under(at, field.name))
        elif (
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        ):
            raise Misfit(f"there is no {_under(at, field.name)!r}")
    return kind(**given)


def _union(kind: Any, value: Any, at: str) -> Any:
    misfits = []
    for one in get_args(kind):
        try:
            return typed(one, value, at)
        except Misfit as misfit:
            misfits.append(str(misfit))
    raise Misfit("; ".join(dict.fromkeys(misfits)))


def _expect(fits: bool, expected: str, value: Any, at: str) -> Any:
    if fits:
        return value
    where = f"{at}: " if at else ""
    raise Misfit(f"{where}expected {expected}, not {_name(value)}")


def _name(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case dict():
            return "an object"
        case list():
            return "an array"
        case str():
            return "a string"
    return f"the number {value}"


def _under(at: str, key: str) -> str:
    return f"{at}.{key}" if at else key
