"""What the files of ended runs say, as rows to show: signals, scores and class shares, before and after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from core.files import read_json
from core.job import Job
from core.runs.map_files import map_path, mapped_stems
from core.runs.run import open_run
from core.terms import Which

MODELS: tuple[Which, Which] = ("source-only", "adapted")
LEAST = 0.0005
"""A change that would be shown as 0.000 is none."""
_RECORDS = {"source-only": "source_only", "adapted": "adapted"}

Better = Literal["higher", "lower"]


@dataclass(frozen=True)
class Row:
    """A measure of two models, None where undefined; which direction is better, if any, and why it counts."""

    name: str
    before: float | None
    after: float | None
    better: Better | None = None
    hint: str = ""

    @property
    def change(self) -> float | None:
        return None if self.before is None or self.after is None else self.after - self.before

    @property
    def helped(self) -> bool | None:
        """Whether the change is for the better; None where there is none, or none can be told."""
        if self.better is None or self.change is None or abs(self.change) < LEAST:
            return None
        return (self.change > 0) == (self.better == "higher")


SIGNALS: dict[str, tuple[str, Better | None, str]] = {
    "entropy": ("uncertainty (entropy)", "lower", "Mean entropy on the target: 0 is sure, 1 is guessing"),
    "d4_agreement": (
        "agreement under rotation",
        "higher",
        "Share of target pixels that keep their class when the image is turned and flipped",
    ),
    "information": (
        "mutual information",
        "higher",
        "High where pixels are sure and classes are many: catches a map that collapsed into one class",
    ),
    "confidence": ("confidence", "higher", "Mean probability of the chosen class on the target"),
    "prior_shift": (
        "distance from expected shares",
        "lower",
        "Of the map's class shares from the source's, or those you expect: 0 is equal, 1 nothing in common",
    ),
    "holdout_miou": (
        "mean IoU on held-out source",
        "higher",
        "On source blocks kept from training, with their labels: whether the classes are still known",
    ),
    "holdout_moved_miou": (
        "the same, target's brightness",
        "higher",
        "On those blocks with the means of target crops, as the target's haze and light show them",
    ),
    "calibration_error": (
        "calibration error on held-out source",
        "lower",
        "How far the share of right pixels is from the probability that the model gives them",
    ),
    "temperature": (
        "temperature on held-out source",
        None,
        "Above 1 the model is surer than right, below 1 less sure; far above it is an alarm",
    ),
}
SCORES = {"miou": "mean IoU", "mf1": "mean F1", "accuracy": "accuracy", "kappa": "kappa"}


@dataclass(frozen=True)
class Outcome:
    """What a run has come to so far: its job, its verdict and scores ({} before there are any)."""

    folder: Path
    job: Job
    verdict: dict[str, Any]
    scores: dict[str, dict[str, Any]]

    @property
    def names(self) -> list[str]:
        return self.job.legend.names

    @property
    def stems(self) -> list[str]:
        """Names of the scenes whose map is there, by the chosen model."""
        made = mapped_stems(self.job)
        return [stem for stem in made if map_path(self.folder, "chosen", stem).exists()]

    def models(self, stem: str) -> list[Which]:
        """The models whose map of that scene is there."""
        return [each for each in MODELS if map_path(self.folder, each, stem).exists()]


def read_outcome(folder: Path) -> Outcome:
    """Raises BadInput where `folder` is no run or its files are damaged."""
    run = open_run(folder)
    return Outcome(
        folder, run.job, read_optional(folder / "verdict.json"), read_optional(folder / "scores.json")
    )


_HEADLINES = {
    "adapted": {
        "clear": "Adapting helped: all signs agree",
        "likely": "Adapting probably helped",
        "cannot tell": "It cannot be told whether adapting helped: nothing speaks against the adapted model",
    },
    "source-only": {
        "likely": "Adapted is probably not better: the source-only model is kept",
        "cannot tell": "It cannot be told whether adapting helped: the source-only model is kept",
    },
}
"""By the model chosen, and how surely."""


def headline(verdict: Mapping[str, Any]) -> str:
    """Did adapting help? One sentence, never surer than the verdict."""
    if not verdict:
        return "The run has not come to a verdict yet"
    if "adapted" not in verdict:
        return "Nothing was adapted: the map is the source-only model's"
    return _HEADLINES[verdict["chosen"]][verdict["sure"]]


def reliability(verdict: Mapping[str, Any]) -> dict[str, list[tuple[float, float]]]:
    """Of each model a reliability diagram on held-out source: (confidence, share that is right) by bin.

    {} where nothing was measured. On the diagonal a model is right as often as it says.
    """
    bins = {name: verdict.get(key, {}).get("reliability") for name, key in _RECORDS.items()}
    return {
        name: [(sure, right) for sure, right, _ in found] for name, found in bins.items() if found is not None
    }


def read_optional(path: Path) -> dict[str, Any]:
    """The content of one of a run's JSON files; {} where the run has not come that far. Raises BadInput."""
    return dict(read_json(path)) if path.exists() else {}


def signal_rows(verdict: Mapping[str, Any]) -> list[Row]:
    """The label-free signals of a verdict; [] where nothing was adapted."""
    if "adapted" not in verdict:
        return []
    before, after = verdict["source_only"], verdict["adapted"]
    return [
        Row(name, before.get(key), after.get(key), better, hint)
        for key, (name, better, hint) in SIGNALS.items()
        if key in before or key in after
    ]


def share_rows(verdict: Mapping[str, Any], names: Sequence[str]) -> list[Row]:
    """Predicted class shares of the target by class name; [] where nothing was adapted."""
    if "adapted" not in verdict:
        return []
    shares = zip(names, verdict["source_only"]["shares"], verdict["adapted"]["shares"], strict=False)
    return [Row(name, before, after) for name, before, after in shares]


def score_rows(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, names: Sequence[str]
) -> list[Row]:
    """Two maps' scores against check labels: the means first, then IoU by class."""
    before, after = before or {}, after or {}

    def iou(scores: Mapping[str, Any], name: str) -> float | None:
        found: float | None = scores.get("classes", {}).get(name, {}).get("iou")
        return found

    means = [Row(name, before.get(key), after.get(key), "higher") for key, name in SCORES.items()]
    rows = means + [Row(f"IoU {name}", iou(before, name), iou(after, name), "higher") for name in names]
    return [row for row in rows if row.before is not None or row.after is not None]
