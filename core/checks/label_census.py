"""What labels give on the pixels that a network will see: counted in windows, with a budget, and judged."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil, sqrt
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.checks.findings import Finding, LabelReport, Verdict
from core.imagery.places import Place
from core.job import Job
from core.judging.evaluate import windows
from geo_io.grid import Box, Grid
from geo_io.legend import IGNORE
from geo_io.raster import RasterLabels

WINDOW_PX = 512
BUDGET_PX = 25_000_000
"""Pixels looked at in a scene before the rest is only searched for missing classes."""
MOST_UNMAPPED, TINY_SHARE = 0.01, 0.001

Findings = Iterator[Finding]


class Odd(Protocol):
    """A file that was opened, with what is odd about it."""

    @property
    def path(self) -> Path: ...
    @property
    def warnings(self) -> tuple[str, ...]: ...


@dataclass
class Census:
    """Working pixels of one scene.

    `classes` (k,) usable ones by class; `labelled` all with a class, under nodata and outside of the area
    too; `unmapped` label value -> pixels whose value belongs to no class. `step`: every step-th window in
    each direction was counted; 1 is all of them.
    """

    classes: NDArray[np.int64]
    step: int
    labelled: int = 0
    unmapped: Counter[str] = field(default_factory=Counter)

    @property
    def unmapped_share(self) -> float:
        strays = self.unmapped.total()
        return strays / (self.labelled + strays) if strays else 0.0


def look_at_labels(job: Job, source: list[Place], verdict: Verdict, gsd_m: float) -> None:
    """Add to `verdict` (whose first scenes are the source's) what the source's labels hold."""
    names = job.legend.names
    labelled = [
        (place, report) for place, report in zip(source, verdict.scenes, strict=False) if place.labels
    ]
    if not labelled:
        what = "has no labels to train on"
        verdict.faults.append(
            Finding(
                where=f"region {job.source.name}", what=what, remedy="give a scene `labels`, `use: train`"
            )
        )
        return
    total = np.zeros(len(names), np.int64)
    features: dict[str, int] = {}
    for place, report in labelled:
        assert place.labels is not None
        verdict.warnings += oddities(place.labels)
        census = count_labels(place, gsd_m, len(names))
        report.labels = _label_report(place, census, names)
        for name, count in (report.labels.features or {}).items():
            features[name] = features.get(name, 0) + count
        verdict.faults += _census_faults(place, census)
        total += census.classes
    if not verdict.faults:
        verdict.faults += _empty_classes(labelled[0][0], names, total, features)
        verdict.warnings += _tiny_classes(names, total)


def _label_report(place: Place, census: Census, names: list[str]) -> LabelReport:
    assert place.labels is not None
    counted = "every working pixel" if census.step == 1 else f"one window in {census.step**2}, evenly spread"
    features = None
    if not isinstance(place.labels, RasterLabels):
        features = {names[i]: n for i, n in place.labels.feature_counts().items()}
    return LabelReport(
        path=str(place.labels.path),
        counted=counted,
        pixels=dict(zip(names, census.classes.tolist(), strict=True)),
        features=features,
        unmapped=dict(census.unmapped.most_common(20)),
    )


def _census_faults(place: Place, census: Census) -> Findings:
    assert place.labels is not None
    where = str(place.labels.path)
    if census.labelled + census.unmapped.total() == 0:
        what = f"labels no pixel of {place.scene.path}"
        yield Finding(
            where=where, what=what, remedy="are both of the same place, and is the CRS of each right?"
        )
    elif census.unmapped_share > MOST_UNMAPPED:
        worst = ", ".join(value for value, _ in census.unmapped.most_common(5))
        what = f"{census.unmapped_share:.1%} of its labelled pixels hold values without a class ({worst})"
        yield Finding(
            where=where, what=what, remedy="add them to a class's `values`, to `mapping`, or to `ignore`"
        )


def _empty_classes(
    place: Place,
    names: list[str],
    pixels: NDArray[np.int64],
    features: dict[str, int],
) -> Findings:
    assert place.labels is not None
    for name, count in zip(names, pixels, strict=True):
        if count:
            continue
        if features.get(name):
            what = f"has {features[name]} features, but they cover no usable pixel"
            remedy = "they are too small, outside of the image, or under other features"
        else:
            what = "is in no label of the source"
            remedy = "check its `values`, or take it out of the legend"
        yield Finding(where=f"{place.labels.path}, class {name!r}", what=what, remedy=remedy)


def _tiny_classes(names: list[str], pixels: NDArray[np.int64]) -> Findings:
    for name, share in zip(names, pixels / max(pixels.sum(), 1), strict=True):
        if 0 < share < TINY_SHARE:
            what = f"is only {share:.3%} of the source's labels"
            yield Finding(
                where=f"class {name!r}", what=what, remedy="label more of it, or merge it with another"
            )


def oddities(file: Odd) -> Findings:
    """What reading a file noticed about it, as warnings."""
    for warning in file.warnings:
        yield Finding(where=str(file.path), what=warning, remedy="check that this is what you mean")


def count_labels(place: Place, gsd_m: float, classes: int) -> Census:
    """Count a scene's labels at `gsd_m`. A scene over budget is counted on a lattice of windows.

    Where the lattice misses a class, the windows between are searched until it is found: a class is only
    reported empty when it is.
    """
    grid = place.scene.grid.at_gsd(gsd_m)
    step = max(1, ceil(sqrt(grid.width * grid.height / BUDGET_PX)))
    census = Census(np.zeros(classes, np.int64), step)
    for box in _lattice(grid, step, on=True):
        _count(place, grid, box, gsd_m, census)
    for box in _lattice(grid, step, on=False):
        if census.classes.all():
            break
        _count(place, grid, box, gsd_m, census)
    return census


def _lattice(grid: Grid, step: int, on: bool) -> Iterator[Box]:
    for box in windows(grid.box, WINDOW_PX):
        if (box.row // WINDOW_PX % step == 0 and box.col // WINDOW_PX % step == 0) == on:
            yield box


def _count(place: Place, grid: Grid, box: Box, gsd_m: float, census: Census) -> None:
    assert place.labels is not None
    window = grid.crop(box)
    label = place.labels.read(window)
    census.labelled += int((label != IGNORE).sum())
    census.unmapped.update(place.labels.tally(window))
    usable = place.scene.read(box, gsd_m).valid
    if place.area:
        usable &= place.area.read(window)
    census.classes += np.bincount(label[usable], minlength=256)[: len(census.classes)]
