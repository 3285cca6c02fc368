"""Agreement of a class map with the truth, counted pixel by pixel in one pass of any length."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo_io.legend import IGNORE

Ids = NDArray[np.uint8]
Floats = NDArray[np.float64]
Scores = dict[str, Any]
"""JSON-able scores from 0 to 1, None where one is undefined.

`miou`, `mf1`, `accuracy`, `kappa`; `classes`: name -> iou, f1, precision, recall; `pixels`, `unpredicted`;
`confusion` (k, k), truth by prediction. A class that the truth does not hold has no score and is in no mean.
Where it was predicted all the same, those pixels lower the classes that they truly are: an error is counted
there, never as a zero.
"""


class Confusion:
    """(k, k) pixel counts, truth by prediction; grows by `add`.

    Pixels whose truth is 255 are left out. Pixels with a truth but no prediction (255) are counted as
    `unpredicted` and are in no score: a map has no data where its image has none.
    """

    def __init__(self, classes: int) -> None:
        self.matrix = np.zeros((classes, classes), np.int64)
        self.unpredicted = 0

    def add(self, truth: Ids, predicted: Ids) -> None:
        """Count two arrays of class ids of the same shape. Raises ValueError for an id beyond the classes."""
        k = len(self.matrix)
        known = truth != IGNORE
        made = predicted != IGNORE
        self.unpredicted += int(np.count_nonzero(known & ~made))
        both = known & made
        true, seen = truth[both].astype(np.int64), predicted[both].astype(np.int64)
        if true.size == 0:
            return
        if max(true.max(), seen.max()) >= k or min(true.min(), seen.min()) < 0:
            raise ValueError(f"class id beyond the {k} classes")
        self.matrix += np.bincount(true * k + seen, minlength=k * k).reshape(k, k)

    def merge(self, other: "Confusion") -> None:
        """Take over another one's counts: of another scene, or of another process."""
        self.matrix += other.matrix
        self.unpredicted += other.unpredicted

    def scores(self, names: list[str]) -> Scores:
        """Every score; `names` of the classes in id order."""
        hits = np.diag(self.matrix).astype(float)
        truth, seen = self.matrix.sum(1).astype(float), self.matrix.sum(0).astype(float)
        present = truth > 0
        iou = _share(hits, truth + seen - hits, present)
        f1 = _share(2 * hits, truth + seen, present)
        total = truth.sum()
        accuracy = hits.sum() / total if total else np.nan
        chance = (truth @ seen) / total**2 if total else np.nan
        # One class only, in truth and map alike: agreement by chance is certain, and kappa says nothing.
        kappa = (accuracy - chance) / (1 - chance) if chance < 1 else np.nan
        by_class = {
            "iou": iou,
            "f1": f1,
            "precision": _share(hits, seen, present),
            "recall": _share(hits, truth, present),
        }
        return {
            "miou": _mean(iou),
            "mf1": _mean(f1),
            "accuracy": _number(accuracy),
            "kappa": _number(kappa),
            "classes": {
                name: {what: _number(values[c]) for what, values in by_class.items()}
                for c, name in enumerate(names)
            },
            "pixels": int(total),
            "unpredicted": self.unpredicted,
            "confusion": self.matrix.tolist(),
        }


def _share(part: Floats, whole: Floats, present: NDArray[np.bool_]) -> Floats:
    """part / whole by class, NaN for a class that the truth does not hold or whose whole is empty."""
    defined = present & (whole > 0)
    return np.where(defined, part / np.where(defined, whole, 1), np.nan)


def _mean(values: Floats) -> float | None:
    return None if np.isnan(values).all() else float(np.nanmean(values))


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
