"""One setting of a form: how its value is written, read, checked and stepped. Of Qt only its translations."""

import math
import re
from dataclasses import dataclass
from typing import Any, Literal

import yaml
from PySide6.QtCore import QCoreApplication

Keys = tuple[str, ...]
Kind = Literal["choice", "integer", "number", "boolean", "text", "list", "group", "other"]


class Missing:
    """The default of a setting that has none."""


MISSING = Missing()


@dataclass(frozen=True)
class Setting:
    """One value that a form asks for: its place, kind, bounds and default.

    `optional`: nothing (null) is allowed, which mostly means automatic. `items`: the kind of a list's.
    `group`: whether the settings below its keys are in use, a mapping or nothing.
    """

    keys: Keys
    kind: Kind
    label: str
    unit: str = ""
    description: str = ""
    default: Any = MISSING
    optional: bool = False
    choices: tuple[Any, ...] = ()
    least: float = -math.inf
    most: float = math.inf
    above: float = -math.inf
    below: float = math.inf
    items: Kind = "text"

    def parse(self, text: str) -> Any:
        """The value that `text` writes; an empty text is nothing. Raises ValueError with the reason."""
        if not (text := text.strip()):
            if self.optional:
                return None
            if self.default == []:
                return []
            raise ValueError(tr("must be given"))
        value = self._read(text)
        self.check(value)
        return value

    def check(self, value: Any) -> None:
        """Raises ValueError with the reason where `value`, as a job file holds it, is none for this."""
        if value is None and self.optional:
            return
        if self.kind == "choice" and value not in self.choices:
            raise ValueError(tr("must be one of {0}").format(", ".join(map(str, self.choices))))
        if self.kind == "boolean" and not isinstance(value, bool):
            raise ValueError(tr("must be true or false"))
        if self.kind == "group" and not isinstance(value, dict):
            raise ValueError(tr("must be a group of settings, or nothing"))
        if self.kind == "list":
            if not isinstance(value, list):
                raise ValueError(tr("must be a list, with commas between"))
            for item in value:
                self._check_number(item, self.items)
        self._check_number(value, self.kind)

    def write(self, value: Any) -> str:
        """`value` as `parse` reads it."""
        if value is None or value is MISSING:
            return ""
        if self.kind == "list" and isinstance(value, list):
            return ", ".join(_plain(item) for item in value)
        if self.kind in ("group", "other"):
            return yaml.safe_dump(value, default_flow_style=True, allow_unicode=True).strip()
        return _plain(value)

    def stepped(self, value: float, steps: int) -> float:
        """`value` so many small steps on, of one in its second digit, up to its bounds."""
        for _ in range(abs(steps)):
            size = 10.0 ** (math.floor(math.log10(abs(value))) - 1) if value else 0.01
            step = max(1.0, size) if self.kind == "integer" else size
            there = min(max(value + math.copysign(step, steps), self.least), self.most)
            if self.above < there < self.below:
                value = float(f"{there:.12g}")
        return int(value) if self.kind == "integer" else value

    @property
    def bounds(self) -> str:
        """The bounds in words, "" where there are none."""
        parts = [
            tr("at least {0}").format(_plain(self.least)) if self.least > -math.inf else "",
            tr("above {0}").format(_plain(self.above)) if self.above > -math.inf else "",
            tr("at most {0}").format(_plain(self.most)) if self.most < math.inf else "",
            tr("below {0}").format(_plain(self.below)) if self.below < math.inf else "",
        ]
        return ", ".join(part for part in parts if part)

    @property
    def nothing(self) -> str:
        """What leaving it empty means: the description's `(default: ...)`, else in a word."""
        said = re.search(r"\(default: (.+)\)", self.description)
        if said and self.default is None:
            return tr("automatic: {0}").format(said[1])
        return tr("automatic") if self.default is None and self.kind != "group" else tr("none")

    @property
    def tip(self) -> str:
        """Description, bounds, default and the name in the job file, a line each."""
        default = self.nothing if self.default is None else self.write(self.default)
        unit = f" {self.unit}" if self.unit else ""
        lines = [
            self.description,
            f"{self.bounds[:1].upper()}{self.bounds[1:]}{unit}" if self.bounds else "",
            tr("Default: {0}").format(f"{default}{unit if self.default is not None else ''}")
            if default
            else "",
            tr("In the job file: {0}").format(".".join(self.keys)),
        ]
        return "\n".join(line for line in lines if line)

    def _read(self, text: str) -> Any:
        match self.kind:
            case "integer":
                return _integer(text)
            case "number":
                return _number(text)
            case "list":
                return [self._item(part.strip()) for part in text.strip("[]").split(",") if part.strip()]
            case "group" | "other":
                return _yaml(text)
            case "choice":
                return next((choice for choice in self.choices if str(choice) == text), text)
            case "boolean":
                return {"true": True, "false": False}.get(text, text)
        return text

    def _item(self, text: str) -> Any:
        if self.items == "integer":
            return _integer(text)
        if self.items == "number":
            return _number(text)
        # Bands are numbers or names: what reads as a whole number is one.
        return int(text) if self.items == "other" and re.fullmatch(r"-?\d+", text) else text

    def _check_number(self, value: Any, kind: Kind) -> None:
        if kind not in ("integer", "number"):
            return
        if isinstance(value, bool) or not isinstance(value, int if kind == "integer" else (int, float)):
            raise ValueError(tr("must be a whole number") if kind == "integer" else tr("must be a number"))
        low, high = self.least <= value and self.above < value, value <= self.most and value < self.below
        if not (low and high):
            raise ValueError(tr("must be {0}").format(self.bounds))


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def _number(text: str) -> float:
    if re.fullmatch(r"[-+]?\d+,\d+", text):
        raise ValueError(tr("must have a point, not a comma: {0}").format(text.replace(",", ".")))
    try:
        value = float(text)
    except ValueError:
        raise ValueError(tr("must be a number, such as 0.001 or 1e-3")) from None
    if not math.isfinite(value):
        raise ValueError(tr("must be finite"))
    return value


def _integer(text: str) -> int:
    value = _number(text)
    if not value.is_integer():
        raise ValueError(tr("must be a whole number"))
    return int(value)


def _yaml(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        raise ValueError(tr("must be YAML, such as [1, 2] or {a: 1}")) from None


def tr(text: str) -> str:
    return QCoreApplication.translate("Setting", text)
