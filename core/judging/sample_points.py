"""A stratified random sample of a class map, to be labelled by eye: drawn, written, and read back.

Olofsson et al. 2014, section 5.1: the strata are the map's classes, the size follows from a wanted
standard error, and rare classes get more than their share. The interpreter sees no class: which stratum a
point was drawn from, and how large that is, stands in a layer of its own, under shuffled numbers.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer

from core.draws import rng
from core.errors import BadInput
from core.events import Progressed
from core.judging.area_accuracy import Sample, allocate, sample_size
from core.judging.evaluate import WINDOW_PX, windows
from geo_io.class_areas import pixel_areas_m2
from geo_io.grid import Box
from geo_io.legend import Legend, value_key
from geo_io.points import Column, Points, read_points, read_table, write_points
from geo_io.scene import Scene

POINT, LABEL, STRATUM, AREA = "point", "label", "stratum", "stratum_m2"
KEY = "isthmus_strata"
"""The layer that says of each point what its interpreter should not see."""
Ints = NDArray[np.int64]


def draw_points(
    class_map: Path,
    legend: Legend,
    to: Path,
    error: float = 0.02,
    least: int = 50,
    users_accuracy: float = 0.8,
    seed: int = 0,
) -> Iterator[Progressed]:
    """Write sample points of a raster of class ids to the GeoPackage `to`, in random order.

    `error`: the standard error wanted of the overall accuracy, if each class is right in
    `users_accuracy` of its area; `least` points a class. Every pixel of a class is as likely as another;
    a class of a single pixel, which can have no standard error, is drawn with the largest class.
    Raises BadInput for a map without a class.
    """
    k = len(legend.classes)
    pixels, area_m2 = np.zeros(k, np.int64), np.zeros(k)
    with Scene.open(class_map) as scene:
        boxes = list(windows(scene.grid.box, WINDOW_PX))
        for done, (ids, areas, _) in enumerate(_read(scene, boxes, k), 1):
            pixels += np.bincount(ids, minlength=k)
            area_m2 += np.bincount(ids, areas, minlength=k)
            yield Progressed(what=f"counting {class_map.name}", done=done, total=len(boxes))
        if pixels.sum() < 2:
            raise BadInput(class_map, "has not two classified pixels", "name the raster of class ids")
        stray, largest = pixels == 1, pixels.argmax()
        drawn_as = np.where(stray, largest, np.arange(k))
        for sums in (pixels, area_m2):
            moved = sums[stray].sum()
            sums[stray] = 0
            sums[largest] += moved
        shares = area_m2 / area_m2.sum()
        points = sample_size(shares, np.full(k, users_accuracy), error)
        wanted = np.minimum(allocate(shares, points, np.minimum(least, pixels)), pixels)
        generator = rng(seed, "sample-points")
        ranks = [np.sort(generator.choice(n, m, replace=False)) for n, m in zip(pixels, wanted, strict=True)]
        passed = np.zeros(k, np.int64)
        picked: list[Ints] = []
        for done, (ids, _, where) in enumerate(_read(scene, boxes, k), 1):
            strata = drawn_as[ids]
            picked.append(_at_ranks(strata, where, ranks, passed))
            passed += np.bincount(strata, minlength=k)
            yield Progressed(what=f"drawing from {class_map.name}", done=done, total=len(boxes))
        chosen = generator.permutation(np.concatenate(picked))
        rows, cols, stratum = chosen.T
        x, y = scene.grid.transform @ (cols + 0.5, rows + 0.5)
        number, code = np.arange(1, len(chosen) + 1), rng(seed, "strata").permutation(k)
        columns = {POINT: number, LABEL: np.full(len(chosen), None, object)}
        key = {POINT: number, STRATUM: code[stratum], AREA: area_m2[stratum]}
        write_points(to, Points(np.column_stack([x, y]), scene.grid.crs_wkt, columns), {KEY: key})


def _read(scene: Scene, boxes: list[Box], k: int) -> Iterator[tuple[Ints, NDArray[np.float64], Ints]]:
    """Of every window: class ids (n,) of the valid pixels, their areas (n,), and (row, col) (n, 2)."""
    for box in boxes:
        patch = scene.read(box)
        ids = patch.values[0].astype(np.int64)
        there = patch.valid & (ids < k)
        areas = np.broadcast_to(pixel_areas_m2(patch.grid), ids.shape)
        yield ids[there], areas[there], np.argwhere(there) + np.array([box.row, box.col])


def _at_ranks(strata: Ints, where: Ints, ranks: list[Ints], passed: Ints) -> Ints:
    """(m, 3) row, col and stratum of those pixels whose rank within their stratum was drawn."""
    found = [np.empty((0, 3), np.int64)]
    for c, drawn in enumerate(ranks):
        mine = np.flatnonzero(strata == c)
        here = drawn[(drawn >= passed[c]) & (drawn < passed[c] + len(mine))] - passed[c]
        if len(here):
            found.append(np.column_stack([where[mine[here]], np.full(len(here), c)]))
    return np.concatenate(found)


def read_sample(path: Path, class_map: Path, legend: Legend, layer: str | None = None) -> tuple[Sample, int]:
    """The labelled points of `path` against the classes of a map, and how many have no label.

    The map may be another than the one that the points were drawn from (Stehman 2014). Raises BadInput
    for points without the columns that `draw_points` writes, unknown labels, and none labelled.
    """
    points = read_points(path, layer)
    if LABEL not in points.columns:
        remedy = "draw the points with `isthmus sample-points`, and fill in their labels"
        raise BadInput(path, f"has no attribute {LABEL!r}", remedy)
    strata, areas = _strata(path, points)
    truth = _truth(path, points.columns[LABEL], legend)
    mapped = _classes_at(class_map, points, len(legend.classes))
    labelled = (truth >= 0) & (mapped >= 0)
    if not (mapped >= 0).any():
        problem = f"no point lies on the data of {class_map}"
        raise BadInput(path, problem, "name a map of the place that the points were drawn from")
    if not labelled.any():
        raise BadInput(path, f"no point on the map has a {LABEL}", "write class names into that attribute")
    _, first, stratum = np.unique(strata, return_index=True, return_inverse=True)
    sizes = areas.astype(np.float64)[first]
    return Sample(stratum[labelled], mapped[labelled], truth[labelled], sizes), int((~labelled).sum())


def _strata(path: Path, points: Points) -> tuple[Column, Column]:
    """(n,) stratum of each point and its area: from the layer of its own, or beside the label as once was."""
    columns: Mapping[str, Column] = points.columns
    if STRATUM in columns and AREA in columns:
        return columns[STRATUM], columns[AREA]
    key = read_table(path, KEY)
    if key is None or not {POINT, STRATUM, AREA} <= set(key) or POINT not in columns:
        problem = f"says nowhere which stratum a point was drawn from (layer {KEY!r})"
        raise BadInput(path, problem, "label the points in the very file that `isthmus sample-points` wrote")
    place = {number: i for i, number in enumerate(key[POINT].tolist())}
    try:
        found = np.array([place[number] for number in columns[POINT].tolist()], np.int64)
    except KeyError as number:
        raise BadInput(path, f"point {number} was not drawn", "take out points added by hand") from None
    return key[STRATUM][found], key[AREA][found]


def _truth(path: Path, labels: NDArray[Any], legend: Legend) -> Ints:
    """(n,) class ids, -1 where nothing is written, or what the legend ignores."""
    known, ids = legend.class_ids(), np.full(len(labels), -1)
    for i, label in enumerate(labels):
        text = "" if label is None or label != label else str(label).strip()
        if text:
            found = known.get(value_key(text))
            if found is None:
                problem = f"point {i + 1}: label {text!r} is not in the legend"
                raise BadInput(path, problem, f"write one of {', '.join(legend.names)}")
            ids[i] = found if found < len(legend.classes) else -1
    return ids


def _classes_at(class_map: Path, points: Points, k: int) -> Ints:
    """(n,) the map's class under each point, -1 outside of it and where it has no data."""
    found = np.full(len(points.xy), -1)
    with Scene.open(class_map) as scene:
        x, y = points.xy.T
        if points.crs_wkt and scene.grid.crs is not None:
            x, y = Transformer.from_crs(points.crs_wkt, scene.grid.crs, always_xy=True).transform(x, y)
        cols, rows = (np.floor(v).astype(np.int64) for v in ~scene.grid.transform @ (x, y))
        inside = (cols >= 0) & (rows >= 0) & (cols < scene.grid.width) & (rows < scene.grid.height)
        for i in np.flatnonzero(inside):
            patch = scene.read(Box(int(cols[i]), int(rows[i]), 1, 1))
            if patch.valid[0, 0] and patch.values[0, 0, 0] < k:
                found[i] = patch.values[0, 0, 0]
    return found
