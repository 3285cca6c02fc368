"""The base of everything that a user can write in YAML, and its error messages."""

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator

from core.errors import BadInput

Model = TypeVar("Model", bound=BaseModel)


GROUP = "should be a group of settings, as in {key: value}"
SAID = {"model_type": GROUP, "dict_type": GROUP, "list_type": "should be a list, as in [1, 2]"}
"""Kinds of pydantic's errors whose words are those of Python -> ours."""


class Options(BaseModel):
    """Strict options: an unknown key is an error. Every field has a description, a unit and bounds."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    @field_validator("*", mode="before")
    @classmethod
    def _word(cls, value: object, info: ValidationInfo) -> object:
        """The word that YAML took for something else: of a choice among words `no` and 32 may be two."""
        annotation = cls.model_fields[info.field_name or ""].annotation
        if get_origin(annotation) is not Literal or value in get_args(annotation):
            return value
        word = {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
        return word if word in get_args(annotation) else value


def load_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file. Raises BadInput, with the line, for anything else."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInput(path, "does not exist", "check the path") from None
    except IsADirectoryError:
        raise BadInput(path, "is a folder", "name the YAML file in it, such as its job.yaml") from None
    except UnicodeDecodeError:
        problem = "is not a text file"
        raise BadInput(path, problem, "name a job's YAML file; images are named in it") from None
    except OSError as fault:
        raise BadInput(path, f"cannot be read ({fault.strerror})", "check the file") from None
    except yaml.YAMLError as fault:
        mark = getattr(fault, "problem_mark", None)
        where = f"line {mark.line + 1}" if mark else "somewhere"
        raise BadInput(
            path, f"is not valid YAML ({where}: {getattr(fault, 'problem', fault)})", "mend that line"
        ) from None
    if not isinstance(content, dict):
        raise BadInput(path, "holds no mapping of keys to values", "start from `isthmus sample`'s job.yaml")
    return content


def parse(model: type[Model], content: object, origin: object, help_: str | None = None) -> Model:
    """`content` as a `model`. Raises BadInput naming the first wrong key's path, and the nearest right one or
    the command that says what it may be: `help_`, else `isthmus settings` with the setting's name."""
    try:
        return model.model_validate(content)
    except ValidationError as fault:
        error = fault.errors()[0]
        path = ".".join(str(part) for part in error["loc"]) or "the top level"
        if error["type"] == "extra_forbidden":
            known = list(_model_at(model, error["loc"][:-1])[0].model_fields)
            close = difflib.get_close_matches(str(error["loc"][-1]), known, n=1, cutoff=0.5)
            all_of_them = f"known keys: {', '.join(known)}" if known else "leave it out: none is known here"
            remedy = f"did you mean {close[0]!r}?" if close else all_of_them
            raise BadInput(f"{origin}, {path}", "unknown key", remedy) from None
        message = SAID.get(error["type"], error["msg"].removeprefix("Value error, "))
        asked = help_ or f"isthmus settings {_model_at(model, error['loc'])[1]}".strip()
        given = "" if error["type"] == "missing" else f" (given: {str(error['input'])[:60]!r})"
        raise BadInput(f"{origin}, {path}", message + given, f"`{asked}` says what it may be") from None


def _model_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> tuple[type[BaseModel], str]:
    """The model found by following `loc` from `model`, and the last of its fields on the way."""
    name = ""
    for part in loc:
        if isinstance(part, str) and part in model.model_fields:
            name = part
            model = next(models_in(model.model_fields[part].annotation), model)
    return model, name


def models_in(annotation: object) -> Iterator[type[BaseModel]]:
    """The models in a field's type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from models_in(inner)
