"""A curve that grows while it is drawn: kept whole in numpy, drawn as few points as the eye can tell."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
DRAWN = 1500
"""Points of a curve on the screen; a wide window has as many pixels."""


class Series:
    """(step, value) points in order, copied from a list that a run's fold appends to, or cuts."""

    def __init__(self) -> None:
        self._points = np.empty((1024, 2))
        self.count = 0

    def sync(self, points: Sequence[tuple[int, float]]) -> bool:
        """Take over what is new in `points`, all of it where they were cut; whether anything changed."""
        cut = self.count and (len(points) < self.count or points[self.count - 1][0] != self._last_step)
        if cut:
            self.count = 0
        new = points[self.count :]
        if len(points) > len(self._points):
            grown = np.empty((max(2 * len(self._points), len(points)), 2))
            grown[: self.count] = self._points[: self.count]
            self._points = grown
        if new:
            self._points[self.count : len(points)] = new
        self.count = len(points)
        return bool(new or cut)

    @property
    def _last_step(self) -> float:
        return float(self._points[self.count - 1, 0])

    def drawn(self, smoothing: float = 0.0) -> tuple[Floats, Floats]:
        """Steps and values of at most DRAWN points; `smoothing` 0 to 1.

        Not smoothed, the smallest and the largest value of each bin stay, so that no spike is lost.
        Smoothed, a mean over up to a tenth of the curve before each point.
        """
        steps, values = self._points[: self.count].T
        if smoothing > 0:
            steps, values = _means(steps, values)
            return steps, _running_mean(values, 1 + round(smoothing**2 * len(values) / 10))
        return _extremes(steps, values)


def _extremes(steps: Floats, values: Floats) -> tuple[Floats, Floats]:
    size = -(-len(values) // (DRAWN // 2))
    if size < 3:
        return steps.copy(), values.copy()
    bins = len(values) // size
    binned = values[: bins * size].reshape(bins, size)
    with np.errstate(invalid="ignore"):
        ends = np.sort([binned.argmin(1), binned.argmax(1)], axis=0) + np.arange(bins) * size
    kept = np.append(ends.T.ravel(), np.arange(bins * size, len(values)))
    return steps[kept], values[kept]


def _means(steps: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Means of bins, each at its last step; the last bin may be smaller."""
    size = -(-len(values) // DRAWN)
    if size < 2:
        return steps, values
    starts = np.arange(0, len(values), size)
    known = np.isfinite(values)
    sums, counts = (np.add.reduceat(each, starts) for each in (np.where(known, values, 0), known * 1.0))
    with np.errstate(invalid="ignore"):
        return steps[np.append(starts[1:], len(values)) - 1], sums / counts


def _running_mean(values: Floats, width: int) -> Floats:
    """The mean of each value and up to `width` - 1 before it; values that are no numbers are left out."""
    known = np.isfinite(values)
    sums = np.cumsum(np.append(0.0, np.where(known, values, 0)))
    counts = np.cumsum(np.append(0, known))
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - width, 0)
    with np.errstate(invalid="ignore"):
        return np.asarray((sums[ends] - sums[starts]) / (counts[ends] - counts[starts]))
