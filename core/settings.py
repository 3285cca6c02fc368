"""Every setting of a job and of its methods, as a person reads them: what `--set` and job files take."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from core import registry
from core.errors import BadInput, meant
from core.job import Job, Method
from core.options import models_in

WORDS = {
    bool: "true | false",
    int: "whole number",
    float: "number",
    str: "text",
    dict: "mapping",
    list: "list",
}
BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}


@dataclass(frozen=True)
class Line:
    """One setting: its path in the job file, what it may be, and its default (None: there is none)."""

    key: str
    values: str
    default: str | None
    required: bool
    description: str
    methods: tuple[str, ...] = ()
    """Whose option it is; empty: every job's setting."""


def settings(part: str | None = None) -> list[Line]:
    """The settings of a job and of its default method, or of the method, the group or the name `part`.

    Raises BadInput, with the nearest name, where nothing is called so.
    """
    of_job = list(_lines(Job, ""))
    of = {name: list(_lines(registry.load(name).Options, "method.options.")) for name in registry.names()}
    whose = {each: tuple(name for name in of if each in of[name]) for lines in of.values() for each in lines}
    all_of = {name: [replace(each, methods=whose[each]) for each in lines] for name, lines in of.items()}
    if part is None:
        return of_job + all_of[Method().name]
    if part in all_of:
        return all_of[part]
    everything = dict.fromkeys([*of_job, *(each for lines in all_of.values() for each in lines)])
    if found := [line for line in everything if f".{part}." in f".{line.key}."]:
        return found
    names = sorted({*of, *(word for line in everything for word in line.key.split("."))})
    raise BadInput(f"setting {part!r}", "does not exist", meant(part, names, "settings", "isthmus settings"))


def _lines(model: type[BaseModel], prefix: str) -> Iterator[Line]:
    for name, field in model.model_fields.items():
        key, inner = prefix + name, next(models_in(field.annotation), None)
        if not inner or NoneType in get_args(field.annotation):
            values = "a group" if inner else _values(field)
            yield Line(key, values, _default(field), field.is_required(), field.description or "")
        if inner:
            yield from _lines(inner, f"{key}.0." if get_origin(field.annotation) is list else f"{key}.")


def _values(field: FieldInfo) -> str:
    """What a setting may be: its choices or its type, and its bounds."""
    kinds = [kind for kind in _kinds(field.annotation) if kind is not NoneType]
    words = " or ".join(dict.fromkeys(map(_word, kinds)))
    bounds = (
        f"{text} {getattr(each, name)}"
        for each in field.metadata
        for name, text in BOUNDS.items()
        if getattr(each, name, None) is not None
    )
    return ", ".join([words, *bounds])


def _kinds(annotation: Any) -> tuple[Any, ...]:
    """The alternatives of a union, or what is none as its only one."""
    plain = isinstance(annotation, type) or get_origin(annotation) in (Literal, list, dict, tuple)
    return (annotation,) if plain else get_args(annotation)


def _word(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return " | ".join(map(str, get_args(kind)))
    return WORDS.get(get_origin(kind) or kind, getattr(kind, "__name__", "text").lower())


def _default(field: FieldInfo) -> str | None:
    if field.is_required():
        return None
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)
