"""Scoring a map against labels from the files on disk alone, however large they are."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.errors import BadInput
from core.imagery.places import open_area, open_labels
from core.job import LabelFile, SceneFiles
from core.judging.metrics import Confusion, Scores
from geo_io.grid import Box
from geo_io.legend import IGNORE, Legend
from geo_io.scene import Scene

WINDOW_PX = 2048
WHOLE = "a class map is one band of whole numbers"


def evaluate(
    map_path: Path,
    labels: LabelFile,
    legend: Legend,
    area: Path | None = None,
    area_wkt: str | None = None,
    erode_px: int = 0,
) -> Scores:
    """Scores of a raster of class ids (255 or nodata: none) against `labels`, read on the map's own grid.

    `area`: polygons to score inside of, or `area_wkt` in the map's CRS. `erode_px`: pixels of the truth
    that lie this close to another class are left out, as in the ISPRS benchmarks, where 3 are: of borders
    nobody is sure. Raises BadInput where map and labels share no pixel, or the map holds an id that the
    legend has not.
    """
    names = legend.names
    truth = open_labels(labels.path, legend, **labels.model_dump(exclude={"path", "use"}))
    confusion = Confusion(len(names))
    with Scene.open(map_path) as scene:
        _check_is_map(scene)
        inside = open_area(SceneFiles(path=map_path, area=area, area_wkt=area_wkt), scene.grid)
        for box in windows(scene.grid.box, WINDOW_PX):
            patch = scene.read(box)
            _check_is_whole(map_path, patch.values[0])
            predicted = np.where(patch.valid, patch.values[0], IGNORE).astype(np.int64)
            _check_ids(map_path, predicted, len(names))
            around = _grown(box, erode_px).clip(scene.grid.width, scene.grid.height)
            true = eroded(truth.read(scene.grid.crop(around)), erode_px)[_inner(box, around)]
            if inside:
                true = np.where(inside.read(patch.grid), true, IGNORE).astype(np.uint8)
            confusion.add(true, predicted.astype(np.uint8))
    if not confusion.matrix.any():
        raise BadInput(map_path, f"shares no pixel with {labels.path}", "are both of the same place?")
    return confusion.scores(names)


def windows(box: Box, side_px: int) -> Iterator[Box]:
    """The box in windows of at most `side_px`, row by row."""
    for row in range(box.row, box.stop_row, side_px):
        for col in range(box.col, box.stop_col, side_px):
            yield Box(col, row, min(side_px, box.stop_col - col), min(side_px, box.stop_row - row))


def eroded(truth: NDArray[np.uint8], radius_px: int) -> NDArray[np.uint8]:
    """(h, w) ids, 255 where another class lies within a disk of `radius_px`; unlabelled land is no class."""
    if not radius_px:
        return truth
    rows, cols = np.ogrid[-radius_px : radius_px + 1, -radius_px : radius_px + 1]
    disk, known = rows**2 + cols**2 <= radius_px**2, truth != IGNORE
    highest = ndimage.maximum_filter(np.where(known, truth, 0), footprint=disk, mode="nearest")
    lowest = ndimage.minimum_filter(truth, footprint=disk, mode="nearest")
    return np.where(known & (highest == lowest), truth, IGNORE).astype(np.uint8)


def _grown(box: Box, by: int) -> Box:
    return Box(box.col - by, box.row - by, box.width + 2 * by, box.height + 2 * by)


def _inner(box: Box, around: Box) -> tuple[slice, slice]:
    """Where `box` lies in an array of `around`."""
    row, col = box.row - around.row, box.col - around.col
    return slice(row, row + box.height), slice(col, col + box.width)


def _check_is_map(scene: Scene) -> None:
    if len(scene.bands) != 1:
        raise BadInput(scene.path, f"has {len(scene.bands)} bands", WHOLE)


def _check_is_whole(path: Path, values: NDArray[np.generic]) -> None:
    """Whole numbers of 32 bits, and of some tools all, come as floats."""
    if values.dtype.kind == "f" and (fractions := values[values != np.rint(values)]).size:
        raise BadInput(path, f"holds {fractions[0]:g}", WHOLE)


def _check_ids(path: Path, predicted: NDArray[np.int64], classes: int) -> None:
    beyond = predicted[((predicted < 0) | (predicted >= classes)) & (predicted != IGNORE)]
    if beyond.size:
        problem = f"holds class id {beyond.flat[0]}, but the legend's go from 0 to {classes - 1}"
        raise BadInput(path, problem, "name the job that the map was made by")


def table(scores: Mapping[str, Scores]) -> str:
    """Scores side by side in plain text: a column for each entry, IoU by class, and the means, in percent."""
    first = next(iter(scores.values()))
    rows = [["class", *scores]]
    for name in first["classes"]:
        rows.append([name, *(_percent(each["classes"][name]["iou"]) for each in scores.values())])
    for key, label in (
        ("miou", "mean IoU"),
        ("mf1", "mean F1"),
        ("accuracy", "accuracy"),
        ("kappa", "kappa"),
    ):
        rows.append([label, *(_percent(each[key]) for each in scores.values())])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(_aligned(row, widths)) for row in rows]
    rule = "-" * len(lines[0])
    return "\n".join([lines[0], rule, *lines[1:-4], rule, *lines[-4:]])


def _aligned(row: list[str], widths: list[int]) -> list[str]:
    first, *rest = zip(row, widths, strict=True)
    return [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)]


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"
