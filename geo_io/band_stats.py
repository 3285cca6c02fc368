"""What the pixels of a whole domain look like, band by band."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from math import ceil, sqrt
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance

from geo_io.errors import BadInput
from geo_io.grid import Box
from geo_io.scene import Scene

if TYPE_CHECKING:  # geopandas is only loaded where an area is
    from geo_io.vector import Area

_BINS = 64
_READ_FACTOR = 16
"""Pixels decoded for one pixel kept, at most: neighbours tell less than pixels far apart."""


@dataclass(frozen=True)
class BandStats:
    """Statistics of a domain's valid pixels; one entry per band wherever a tuple is.

    `low` and `high` are the 1st and 99th percentile, `mean` and `std` those of the values clipped to them;
    `minimum` and `maximum` are unclipped. `valid_share` is of the pixels in the areas of interest, `pixels`
    counts the valid ones measured. `histogram` counts the clipped values in 64 equal bins from low to high.
    """

    names: tuple[str, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    minimum: tuple[float, ...]
    maximum: tuple[float, ...]
    valid_share: float
    pixels: int
    histogram: tuple[tuple[int, ...], ...]

    def to_dict(self) -> dict[str, Any]:
        """As plain lists and numbers, for YAML and JSON."""
        return {k: _listed(v) for k, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        return cls(**{k: _frozen(v) for k, v in content.items()})


def measure(scenes: "Iterable[tuple[Scene, Area | None]]", sample_px: int = 4_000_000) -> BandStats:
    """Statistics of all `scenes` together, each with its area of interest (None: all of it).

    About `sample_px` native pixels are kept, of each scene in proportion to its size: all of them where they
    are few enough, else every n-th pixel of cells spread evenly over the scene. Raises BadInput where
    the scenes have different bands or no valid pixel.
    """
    domain = [(scene, area, area.box(scene.grid) if area else scene.grid.box) for scene, area in scenes]
    if not domain:
        raise BadInput("statistics", "there is no scene to measure", "add a scene to the region")
    first = domain[0][0]
    for scene, _, _ in domain:
        if scene.bands != first.bands:
            problem = f"has bands {', '.join(scene.bands)}, but {first.path} has {', '.join(first.bands)}"
            raise BadInput(scene.path, problem, "choose the same `bands` from every scene of a region")
    share = min(1.0, sample_px / max(sum(box.width * box.height for *_, box in domain), 1))
    kept, counted = [], 0
    for scene, area, box in domain:
        for values, inside in _samples(scene, area, box, share):
            kept.append(values)
            counted += inside
    pixels = np.concatenate(kept, axis=1) if kept else np.empty((len(first.bands), 0), np.float32)
    if pixels.shape[1] == 0:
        where = " inside of its area of interest" if any(area for _, area, _ in domain) else ""
        raise BadInput(first.path, f"no valid pixel was found{where}", "check nodata, mask band and area")
    return _summary(first.bands, pixels, pixels.shape[1] / counted)


def distance(a: BandStats, b: BandStats) -> dict[str, float]:
    """Band name -> Wasserstein-1 distance between the two domains' values, in pooled standard deviations.

    Of the clipped values, and exact to a histogram bin. Bands are compared in order, under `a`'s names.
    """
    if len(a.names) != len(b.names):
        raise BadInput("statistics", f"{len(a.names)} bands against {len(b.names)}", "compare like with like")
    distances = {}
    for i, name in enumerate(a.names):
        moved = wasserstein_distance(_mids(a, i), _mids(b, i), a.histogram[i], b.histogram[i])
        distances[name] = float(moved) / sqrt((a.std[i] ** 2 + b.std[i] ** 2) / 2)
    return distances


def beyond(stats: BandStats, scene: Scene, sample_px: int = 250_000) -> dict[str, float]:
    """Band -> the share of the valid pixels of `scene` that are not between `stats`' low and high.

    By a sample, as `measure` takes it; empty where no pixel is valid.
    """
    share = min(1.0, sample_px / max(scene.grid.width * scene.grid.height, 1))
    kept = [values for values, _ in _samples(scene, None, scene.grid.box, share)]
    pixels = np.concatenate(kept, axis=1) if kept else np.empty((len(stats.names), 0))
    if pixels.shape[1] == 0:
        return {}
    low, high = (np.array(edge)[:, None] for edge in (stats.low, stats.high))
    out = ((pixels < low) | (pixels > high)).mean(axis=1)
    return dict(zip(stats.names, out.tolist(), strict=True))


def _samples(
    scene: Scene, area: "Area | None", box: Box, share: float
) -> Iterator[tuple[NDArray[np.float32], int]]:
    """Valid values (c, n) of `share` of the pixels, cell by cell, and how many pixels were looked at."""
    cells = scene.cells(box)
    chosen = _spread(cells, min(1.0, share * _READ_FACTOR))
    px_step = max(1, round(sqrt(len(chosen) / len(cells) / share))) if cells else 1
    for cell in chosen:
        part = _intersection(cell, box)
        patch = scene.read(part)
        inside = area.read(patch.grid) if area else np.ones(patch.valid.shape, bool)
        thin = (..., slice(px_step // 2, None, px_step), slice(px_step // 2, None, px_step))
        usable = inside[thin] & patch.valid[thin]
        yield patch.values[thin][:, usable].astype(np.float32), int(inside[thin].sum())


def _spread(cells: list[Box], share: float) -> list[Box]:
    """About `share` of the cells, evenly over both axes: a golden-section lattice."""
    if share == 1:
        return cells
    rows, cols = (sorted({cell[axis] for cell in cells}) for axis in (1, 0))
    count = ceil(share * len(cells))
    n = np.arange(count) + 0.5
    row, col = n / count * len(rows), n * 0.6180339887 % 1 * len(cols)
    kept = {(cols[int(c)], rows[int(r)]) for r, c in zip(row, col, strict=True)}
    return [cell for cell in cells if cell[:2] in kept]


def _intersection(a: Box, b: Box) -> Box:
    moved = Box(a.col - b.col, a.row - b.row, a.width, a.height).clip(b.width, b.height)
    return moved._replace(col=moved.col + b.col, row=moved.row + b.row)


def _summary(names: tuple[str, ...], pixels: NDArray[np.float32], valid_share: float) -> BandStats:
    low, high = np.percentile(pixels, (1, 99), axis=1)
    clipped = np.clip(pixels, low[:, None], high[:, None]).astype(np.float64)
    edges = np.linspace(low, high, _BINS + 1, axis=1)
    # Counting by position, as numpy.histogram refuses a constant band's bins of no width.
    widths = np.maximum(edges[:, 1] - edges[:, 0], np.finfo(np.float64).tiny)
    position = np.minimum((clipped - low[:, None]) / widths[:, None], _BINS - 1).astype(np.int64)
    return BandStats(
        names=names,
        low=_floats(low),
        high=_floats(high),
        mean=_floats(clipped.mean(axis=1)),
        std=_floats(np.maximum(clipped.std(axis=1), 1e-6)),
        minimum=_floats(pixels.min(axis=1)),
        maximum=_floats(pixels.max(axis=1)),
        valid_share=valid_share,
        pixels=pixels.shape[1],
        histogram=tuple(tuple(np.bincount(band, minlength=_BINS).tolist()) for band in position),
    )


def _mids(stats: BandStats, band: int) -> NDArray[np.float64]:
    edges = np.linspace(stats.low[band], stats.high[band], _BINS + 1)
    return np.asarray((edges[1:] + edges[:-1]) / 2)


def _floats(column: NDArray[np.floating[Any]]) -> tuple[float, ...]:
    return tuple(float(x) for x in column)


def _listed(value: Any) -> Any:
    return [_listed(v) for v in value] if isinstance(value, tuple) else value


def _frozen(value: Any) -> Any:
    return tuple(_frozen(v) for v in value) if isinstance(value, list) else value
