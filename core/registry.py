"""The folder `core/methods/` is the registry: a file's name is the method's name everywhere."""

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol, cast

import core.methods
from core.bench import Bench, Losses
from core.card import Card, Healthy
from core.errors import BadInput, meant
from core.events import Progressed
from core.job import Job
from core.options import Options as AnyOptions
from core.options import parse
from core.phases import Phase


class Module(Protocol):
    """What a file of `core/methods/` defines."""

    Options: type[AnyOptions]
    CARD: Card

    @staticmethod
    def phases(options: Any, steps: int) -> list[Phase]: ...
    @staticmethod
    def train(bench: Bench, options: Any) -> Iterator[Losses | Progressed]: ...


@dataclass(frozen=True)
class Chosen:
    """A method with its options, ready to train."""

    name: str
    module: Module
    options: AnyOptions
    phases: list[Phase]


def names() -> list[str]:
    """The methods there are."""
    return sorted(module.name for module in pkgutil.iter_modules(core.methods.__path__))


def load(name: str) -> Module:
    """The file of a method. Raises BadInput, with the nearest name, where there is none."""
    if name not in names():
        raise BadInput(f"method {name!r}", "does not exist", meant(name, names(), "methods"))
    return cast(Module, importlib.import_module(f"core.methods.{name}"))


def healthy(module: Module) -> dict[str, Healthy]:
    """Loss -> where it should stay, of those losses of which a method says so in `HEALTHY`."""
    return dict(getattr(module, "HEALTHY", {}))


def choose(job: Job, name: str, options: dict[str, Any]) -> Chosen:
    """A method by name and options for a job, of its phases those that have steps.

    Raises BadInput for a wrong name or option, for a phase after the end of the learning rate, and for what
    the method's own `check(job, options)`, where it has one, knows before hours of training.
    """
    module = load(name)
    parsed = parse(module.Options, options, f"method.options of {name}")
    if check := getattr(module, "check", None):
        check(job, parsed)
    phases = [phase for phase in module.phases(parsed, job.schedule.steps) if phase.steps]
    horizon = job.schedule.horizon
    if horizon and (late := next((phase for phase in phases if phase.start >= horizon), None)):
        problem = f"leaves no learning rate to phase {late.name!r}, which begins at step {late.start}"
        raise BadInput("schedule.horizon", problem, "raise it, or leave it out")
    return Chosen(name, module, parsed, phases)
