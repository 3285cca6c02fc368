"""What a list of images shows of each, read in a moment however large the image is."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import shapely

from geo_io.crs import transformer
from geo_io.errors import BadInput
from geo_io.grid import Grid
from geo_io.ground import LATLON, unit_m2
from geo_io.scene import Scene

Ring = tuple[tuple[float, float], ...]

_LOOK_PX, _READABLE_PX, _CELLS = 512, 4096 * 4096, 48
_GOLDEN = 0.6180339887


@dataclass(frozen=True)
class SceneFacts:
    """One image: where it lies, which of its bands are used, what counts as data.

    `file_bands` are all of the file's, `bands` those chosen, in order. `footprint` is the outline in map
    units of the image's own CRS; `lonlat` the same in degrees of WGS 84, longitude first, None without a
    CRS. `valid_share` is estimated from a sample of the pixels.
    """

    path: Path
    grid: Grid
    file_bands: tuple[str, ...]
    bands: tuple[str, ...]
    dtype: str
    nodata_source: str
    valid_share: float
    warnings: tuple[str, ...]

    @property
    def footprint(self) -> Ring:
        return tuple((float(x), float(y)) for x, y in self.grid.corners)

    @property
    def lonlat(self) -> Ring | None:
        return lonlat_ring(self.grid)

    @property
    def crs_name(self) -> str:
        """The CRS by its code where it has one, else by its name; empty without a CRS."""
        if self.grid.crs is None:
            return ""
        authority = self.grid.crs.to_authority()
        return ":".join(authority) if authority else self.grid.crs.name


def scene_facts(
    path: Path,
    bands: Sequence[int | str] | None = None,
    band_names: Sequence[str] | None = None,
    nodata: float | None = None,
    invalid_when: str = "all",
) -> SceneFacts:
    """Read the facts of the image at `path`, used as `Scene.open` says. Raises BadInput as that does."""
    with Scene.open(path, None, band_names) as whole:
        file_bands = whole.bands
    with Scene.open(path, bands, band_names, nodata, invalid_when) as scene:
        return SceneFacts(
            path=Path(path),
            grid=scene.grid,
            file_bands=file_bands,
            bands=scene.bands,
            dtype=str(scene.dtype),
            nodata_source=scene.nodata_source,
            valid_share=_valid_share(scene),
            warnings=scene.warnings,
        )


def lonlat_ring(grid: Grid, edge_points: int = 8) -> Ring | None:
    """The grid's outline in degrees, each edge in `edge_points` pieces; None where that means nothing."""
    if grid.crs_wkt is None:
        return None
    try:
        projection = transformer(grid.crs_wkt, LATLON)
    except BadInput:
        return None
    corners = np.array([*grid.corners, grid.corners[0]], float)
    along = np.arange(edge_points)[:, None] / edge_points
    edges = [a + (b - a) * along for a, b in pairwise(corners)]
    x, y = np.concatenate(edges).T
    lon, lat = projection.transform(x, y)
    if not (np.isfinite(lon).all() and np.isfinite(lat).all()):
        return None
    return tuple(zip(lon.tolist(), lat.tolist(), strict=True))


def drawn_area_ha(text: str, grid: Grid) -> float:
    """Hectares of ground in the (multi)polygon `text`, WKT in the CRS of `grid`: by the scale in its middle.

    Raises BadInput for broken WKT.
    """
    try:
        shape = shapely.from_wkt(text)
    except shapely.errors.GEOSException as fault:
        raise BadInput("the drawn area", f"cannot be read ({fault})", "draw it again") from None
    west, south, east, north = shape.bounds
    return float(shape.area * unit_m2((west + east) / 2, (south + north) / 2, grid.crs_wkt)) / 1e4


def _valid_share(scene: Scene) -> float:
    """Decimated where that is cheap, else of evenly spread cells: a large image is never read whole."""
    if scene.grid.width * scene.grid.height <= _READABLE_PX:
        return float(scene.decimated(_LOOK_PX).valid.mean())
    cells = scene.cells(scene.grid.box)
    chosen = {int(n * _GOLDEN % 1 * len(cells)) for n in range(_CELLS)}
    shares = [float(scene.read(cells[i]).valid.mean()) for i in sorted(chosen)]
    return sum(shares) / len(shares)
