"""Accuracy and areas from a stratified random sample, in proportions of area, with 95 % intervals.

Olofsson et al. 2014, "Good practices for estimating area and assessing accuracy of land change"
(doi:10.1016/j.rse.2014.02.015), where the strata are the map's classes; Stehman 2014, "Estimating area
and map accuracy for stratified random sampling when the strata are different from the map classes"
(doi:10.1080/01431161.2014.930207), where they are another map's. The second contains the first.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.errors import BadInput

Z95 = 1.96
Ids = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]


class Estimate(NamedTuple):
    """A proportion and its standard error; NaN where the sample cannot say."""

    value: float
    error: float

    @property
    def margin(self) -> float:
        """Half the width of the 95 % interval."""
        return Z95 * self.error


@dataclass(frozen=True)
class AreaAccuracy:
    """`matrix` (k, k): proportions of area, map by truth. Users, producers and area shares by class id."""

    matrix: Floats
    overall: Estimate
    users: list[Estimate]
    producers: list[Estimate]
    area_shares: list[Estimate]
    sample: int


@dataclass(frozen=True)
class Sample:
    """One entry a labelled point: its stratum, the map's class there, and the true class.

    `stratum_sizes` (s,): what each stratum covers, in any unit of area.
    """

    stratum: Ids
    mapped: Ids
    truth: Ids
    stratum_sizes: Floats

    def __post_init__(self) -> None:
        counts = np.bincount(self.stratum, minlength=len(self.stratum_sizes))
        for stratum in np.flatnonzero((counts < 2) & (self.stratum_sizes > 0)):
            problem = f"has {counts[stratum]} labelled points, and a standard error needs 2"
            raise BadInput(f"stratum {stratum}", problem, "label more of its points")

    def total(self, y: Floats) -> Estimate:
        """The share of the area with y = 1 (Stehman 2014, eq. 3 and 25)."""
        return self.ratio(y, np.ones(len(y)))

    def ratio(self, y: Floats, x: Floats) -> Estimate:
        """The share of the area with x = 1 that has y = 1 too (Stehman 2014, eq. 27 and 28)."""
        over = self._sum(x)
        if over == 0:
            return Estimate(math.nan, math.nan)
        value = self._sum(y) / over
        rest, variance = y - value * x, 0.0
        for stratum, weight in enumerate(self._weights):
            inside = rest[self.stratum == stratum]
            variance += weight**2 * float(np.var(inside, ddof=1)) / len(inside) if weight else 0.0
        return Estimate(value, math.sqrt(variance) / over)

    def _sum(self, y: Floats) -> float:
        means = (float(y[self.stratum == s].mean()) if w else 0.0 for s, w in enumerate(self._weights))
        return float(sum(w * mean for w, mean in zip(self._weights, means, strict=True)))

    @property
    def _weights(self) -> Floats:
        return np.asarray(self.stratum_sizes / self.stratum_sizes.sum())


def assess(sample: Sample, classes: int) -> AreaAccuracy:
    """Every estimate from a sample. Raises BadInput where a stratum has less than two points."""

    def where(condition: NDArray[np.bool_]) -> Floats:
        return condition.astype(np.float64)

    mapped, truth = sample.mapped, sample.truth
    right, ids = where(mapped == truth), range(classes)
    matrix = [[sample.total(where((mapped == i) & (truth == j))).value for j in ids] for i in ids]
    return AreaAccuracy(
        matrix=np.array(matrix),
        overall=sample.total(right),
        users=[sample.ratio(right * where(mapped == i), where(mapped == i)) for i in ids],
        producers=[sample.ratio(right * where(truth == i), where(truth == i)) for i in ids],
        area_shares=[sample.total(where(truth == i)) for i in ids],
        sample=len(truth),
    )


def sample_size(shares: Floats, users_accuracy: Floats, error: float) -> int:
    """Points for a standard error `error` of the overall accuracy (Olofsson et al. 2014, eq. 13).

    `shares` (k,) of the map's area, and the user's accuracy expected of each class.
    """
    spread = float((shares * np.sqrt(users_accuracy * (1 - users_accuracy))).sum())
    return math.ceil((spread / error) ** 2 - 1e-9)


def allocate(shares: Floats, points: int, least: NDArray[np.int64]) -> NDArray[np.int64]:
    """(k,) points by class: in proportion to its share, but `least` (k,) of them where it has any area.

    What rare classes get more than their share, the others give (Olofsson et al. 2014, section 5.1.2).
    """
    there = shares > 0
    small = np.zeros(len(shares), bool)
    while True:  # taking from the large ones can make another one small
        large = there & ~small
        rest = max(points - least[there & small].sum(), 0)
        given = shares * rest / shares[large].sum() if large.any() else np.zeros(len(shares))
        more = large & (given < least)
        if not more.any():
            return np.where(there & small, least, np.where(large, np.round(given), 0)).astype(np.int64)
        small |= more


def content(found: AreaAccuracy, names: list[str], area_m2: float) -> dict[str, Any]:
    """For JSON: every estimate with the half-width of its 95 % interval, areas in hectares of `area_m2`."""

    def estimate(of: Estimate, unit: float = 1.0) -> dict[str, float | None]:
        known = math.isfinite(of.value)
        return {"value": of.value * unit if known else None, "margin": of.margin * unit if known else None}

    hectares = area_m2 / 10_000
    by_class = {
        name: {
            "users": estimate(found.users[i]),
            "producers": estimate(found.producers[i]),
            "area_share": estimate(found.area_shares[i]),
            "area_ha": estimate(found.area_shares[i], hectares),
        }
        for i, name in enumerate(names)
    }
    overall, matrix = estimate(found.overall), found.matrix.tolist()
    return {"sample": found.sample, "overall": overall, "classes": by_class, "matrix": matrix}


def table(found: Mapping[str, Any]) -> str:
    """`content` in plain text: accuracies in percent, areas in hectares, each ± its 95 % margin."""
    rows = [["class", "user's", "producer's", "area in ha", "area in %"]]
    for name, each in found["classes"].items():
        cells = [_cell(each["users"], 100), _cell(each["producers"], 100), _cell(each["area_ha"], 1)]
        rows.append([name, *cells, _cell(each["area_share"], 100)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    overall = f"overall accuracy {_cell(found['overall'], 100)} % of {found['sample']} points, 95 % intervals"
    return "\n".join(
        [lines[0].rstrip(), "-" * len(lines[0]), *(line.rstrip() for line in lines[1:]), overall]
    )


def _cell(estimate: Mapping[str, float | None], unit: float) -> str:
    if estimate["value"] is None or estimate["margin"] is None:
        return "-"
    return f"{estimate['value'] * unit:,.1f} ± {estimate['margin'] * unit:,.1f}"
