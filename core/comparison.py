"""What the files of ended runs say, as rows to show: signals, scores and class shares, before and after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from core.files import read_json

BEFORE, AFTER = "source-only", "adapted"
LEAST = 0.0005
"""A change that would be shown as 0.000 is none."""

Better = Literal["higher", "lower"]


@dataclass(frozen=True)
class Row:
    """A measure of two models, 0 to 1, None where undefined; which direction is better, and why it counts."""

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


SIGNALS: dict[str, tuple[str, Better, str]] = {
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
    "holdout_miou": (
        "mean IoU on held-out source",
        "higher",
        "On source blocks kept from training, with their labels: whether the classes are still known",
    ),
}
SCORES = {"miou": "mean IoU", "mf1": "mean F1", "accuracy": "accuracy", "kappa": "kappa"}


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
