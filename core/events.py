"""What a run says: one typed event a line in `events.jsonl`, read by whoever watches."""

from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

SCHEMA = 1


class Event(BaseModel):
    """Every event carries the schema version, its place in the journal and its time (Unix seconds).

    `seq` and `time` are stamped by the journal. A reader ignores fields that it does not know.
    """

    # A loss that is no number any more is told as "NaN": null would be no loss, and the event unreadable.
    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True, ser_json_inf_nan="strings")

    v: int = SCHEMA
    seq: int = 0
    time: float = 0.0


class Started(Event):
    """Work begins; `phases` are (name, steps) in order: time left comes from them."""

    kind: Literal["started"] = "started"
    run: str
    method: str
    seed: int
    device: str
    phases: list[tuple[str, int]]


class Phased(Event):
    """A phase begins (again, after a resume, from `step`)."""

    kind: Literal["phased"] = "phased"
    phase: str
    step: int
    steps: int


class Stepped(Event):
    """`step` optimisation steps of `phase` are done; `losses` by name."""

    kind: Literal["stepped"] = "stepped"
    phase: str
    step: int
    losses: dict[str, float]


class Progressed(Event):
    """`done` of `total` units of other long work: index cells read, map rows written.

    `of_time`: they are no units of anything but the time that the work takes, and worth telling as a share.
    """

    kind: Literal["progressed"] = "progressed"
    what: str
    done: int
    total: int
    of_time: bool = False


class Evaluated(Event):
    """Scores of a model (`source-only`, `adapted`) or a map, by name.

    `source-only so far`, `adapted so far`: of the model in training after `step` steps of `phase`.
    """

    kind: Literal["evaluated"] = "evaluated"
    what: str
    scores: dict[str, Any]
    phase: str | None = None
    step: int | None = None


class Pictured(Event):
    """A preview or a map lies at `path`, relative to the run.

    A preview is of the model in training in `stage`, after `step` steps of `phase`; `layers` are the
    rasters beside its classes: `confidence`, and `pseudo` where the method labels the target itself.
    Only the newest previews stay on disk.
    """

    kind: Literal["pictured"] = "pictured"
    what: str
    path: str
    layers: dict[str, str] = {}
    stage: str | None = None
    phase: str | None = None
    step: int | None = None


class Saved(Event):
    """A checkpoint is on disk."""

    kind: Literal["saved"] = "saved"
    phase: str
    step: int


class Warned(Event):
    """Something the user should know, in words, with what to do."""

    kind: Literal["warned"] = "warned"
    text: str


class Noted(Event):
    """Something worth knowing that asks for nothing: what was loaded, measured, found finished."""

    kind: Literal["noted"] = "noted"
    text: str


class Asked(Event):
    """A request reached the worker."""

    kind: Literal["asked"] = "asked"
    request: Literal["pause", "resume", "stop", "checkpoint", "preview"]


class Paused(Event):
    kind: Literal["paused"] = "paused"
    phase: str
    step: int


class Resumed(Event):
    """Work goes on from (`phase`, `step`); what a reader saw of later steps did not happen."""

    kind: Literal["resumed"] = "resumed"
    phase: str
    step: int


class Failed(Event):
    """The run cannot go on: one line, with what to try; `details` for whoever mends it."""

    kind: Literal["failed"] = "failed"
    text: str
    details: str = ""


class Ended(Event):
    """The worker is done: `done`, or `stopped` by request with its state saved."""

    kind: Literal["ended"] = "ended"
    how: Literal["done", "stopped"]


AnyEvent = Annotated[
    Started
    | Phased
    | Stepped
    | Progressed
    | Evaluated
    | Pictured
    | Saved
    | Warned
    | Noted
    | Asked
    | Paused
    | Resumed
    | Failed
    | Ended,
    Field(discriminator="kind"),
]


@cache
def _adapter() -> TypeAdapter[AnyEvent]:
    """Made when the first event is read: that takes time, which the start of the window has not got."""
    return TypeAdapter(AnyEvent)


def parse_event(line: str | bytes) -> AnyEvent | None:
    """The event of a journal line; None for a kind that a later version added, or a broken line."""
    try:
        return _adapter().validate_json(line)
    except ValidationError:
        return None
