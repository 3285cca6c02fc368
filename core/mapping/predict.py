"""From a trained segmentor to a map on disk, in memory that does not grow with the raster's height."""

import hashlib
import json
import math
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from core.disk_space import map_bytes
from core.errors import BadInput
from core.events import Progressed
from core.mapping.blend import CHUNK_BYTES, Plane
from core.mapping.predictor import Predictor
from core.mapping.strip_mapper import StripMapper, Waiting
from core.mapping.strips import StripReader, strip_rows
from core.runs.map_files import (
    CONFIDENCE_STEPS,
    IMAGE_TAG,
    OPTIONAL,
    SUFFIXES,
    RasterPart,
    layer_count,
    layers,
    share_names,
)
from geo_io.blocks import CACHE, GDAL_CACHE_MB
from geo_io.fingerprint import content_of, last_change_ns
from geo_io.grid import Box, Grid
from geo_io.legend import IGNORE, Legend
from geo_io.scene import Scene
from geo_io.spool import READ_BYTES, Spool
from geo_io.whole_file import require_space, writing
from geo_io.write import read_tags, write_map, write_shares

if TYPE_CHECKING:  # geopandas is only loaded where an area is
    from geo_io.vector import Area

__all__ = ["Estimate", "Predictor", "estimate", "predict_scene"]

BAND_BYTES = 512 * 2**20
"""Most that the rolling band of probabilities may take; a wider raster is done in column strips."""


THREADS = 2
"""Threads that read ahead."""


class Estimate(NamedTuple):
    """What a map will take: peak memory beside the libraries and the network, disk while writing, tiles."""

    memory_mb: float
    disk_mb: float
    tiles: int


def predict_scene(
    predictor: Predictor,
    scene: Scene,
    area: "Area | None",
    folder: Path,
    stem: str,
    tags: dict[str, str],
    threads: int = THREADS,
) -> Iterator[Progressed]:
    """Write `<stem>.class.tif`, and what else the options ask for, to `folder`; yields as rows are finished.

    Whatever ends it early, the finished rows stay in `<stem>.spool`, and the next call with equal
    network, options, image and tags goes on from there, or returns at once where the maps exist and are
    newer than the image and what is read with it.
    Closing the generator ends its threads. Raises BadInput for a damaged image or an unwritable
    folder, RunFailed when disk or memory is short or the network yields no numbers.
    """
    tags = tags | {IMAGE_TAG: content_of(scene.path)}
    tags = tags | {"map_id": _map_id(predictor, scene, area, tags)}
    held = layers(predictor.options, len(predictor.legend.classes))
    wanted = [layer for span in held.values() for layer in span]
    paths = {part: folder / (stem + SUFFIXES[part]) for part in held}
    grid = predictor.map_grid(scene.grid)
    total = grid.height
    changed_ns = last_change_ns([scene.path, *([area.path] if area else [])])
    if not all(read_tags(path) == tags and path.stat().st_mtime_ns >= changed_ns for path in paths.values()):
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
        plane, extent = predictor.plane(scene.grid), _extent(grid, area)
        widths = _strip_widths(plane, extent.width, len(predictor.legend.classes))
        path, identity = folder / f"{stem}.spool", bytes.fromhex(tags["map_id"])
        cached = CACHE.capped(_cache_bytes(scene, plane, widths[0], threads))
        with cached, Spool(path, identity, extent.height, widths, len(wanted), changed_ns) as spool:
            require_space(folder, spool.missing_bytes + map_bytes(grid, len(wanted)))
            reader = StripReader(scene, predictor.gsd_m, area, plane)
            for done in _fill(spool, wanted, predictor, reader, extent, threads):
                share = done / (extent.height * len(widths))
                yield Progressed(what=f"map {stem}", done=min(int(share * total), total - 1), total=total)
            _write_maps(spool, predictor.legend, grid, extent, paths, tags)
        spool.remove()
    yield Progressed(what=f"map {stem}", done=total, total=total)


def estimate(predictor: Predictor, scene: Scene) -> Estimate:
    """What a map of the whole `scene` will take, before anything is begun.

    Memory is, with w the working columns held at once, T the tile's side, c bands, k classes and b
    tiles in a batch: the band of probabilities, 4 k (T + 1) w; strips of pixels read ahead or under
    way, (c bytes + 2) each; the batch, b T² (c (bytes + 4) + 1 + 4 k), and b T² (4 c + 8 k) more where
    tiles are turned; the rows being decided and written; GDAL's cache of blocks and, where pixels are
    resampled, ours, both of which are kept to that while the map is made. The raster's height is not in
    it. The network's weights and activations and the libraries come on top.
    """
    plane, k, c = predictor.plane(scene.grid), len(predictor.legend.classes), len(scene.bands)
    tiling, tile = plane.tiling_y, predictor.options.tile_px
    kept = layer_count(predictor.options, k)
    made = 2 + k * predictor.options.probabilities
    widths = _strip_widths(plane, scene.grid.width, k)
    columns = min(math.ceil(widths[0] * plane.taps_x.factor) + 2 * tile, plane.taps_x.working + tile)
    rows = strip_rows(scene, plane)
    read_ahead = 2 * THREADS + 1 + math.ceil(tile / rows) + 1
    itemsize = scene.dtype.itemsize if plane.native else 4
    slots = predictor.slots(plane.tiling_x.count)
    parts = [
        4 * k * (tile + 1) * columns + 4 * (tile + 1) * columns,
        min(read_ahead * rows, scene.grid.height + rows) * columns * (c * itemsize + 2),
        slots * tile**2 * (c * (itemsize + 4) + 1 + 4 * k) + 8 * k * tile**2,
        slots * tile**2 * (4 * c + 8 * k) * (predictor.options.test_time_views > 1),
        2 * (made + kept) * math.ceil(tiling.tile / plane.taps_y.factor) * widths[0],
        4 * CHUNK_BYTES + READ_BYTES,
        GDAL_CACHE_MB * 2**20 + _cache_bytes(scene, plane, widths[0], THREADS),
    ]
    disk = kept * scene.grid.height * scene.grid.width + map_bytes(scene.grid, kept)
    tiles = tiling.count * plane.tiling_x.count
    return Estimate(sum(parts) / 2**20, disk / 2**20, tiles)


def _fill(
    spool: Spool, wanted: list[int], predictor: Predictor, reader: StripReader, extent: Box, threads: int
) -> Iterator[int]:
    """Compute what the spool lacks; yields how many rows, over all column strips, are safe in it."""
    lefts = [extent.col + int(left) for left in np.cumsum([0, *spool.widths])]
    begun, row = divmod(spool.done, spool.height)

    def bands() -> Generator[Waiting, None, None]:
        for strip in range(begun, len(spool.widths)):
            mapper = StripMapper(predictor, reader.of(lefts[strip], lefts[strip + 1]), threads)
            first = extent.row + (row if strip == begun else 0)
            yield from mapper.rows(first, extent.stop_row)

    def keep(rows: Waiting) -> None:
        spool.append(rows()[wanted])

    # One band may wait for the disk while the next is computed; what was handed over is kept, come what may.
    with ThreadPoolExecutor(1, thread_name_prefix="spool") as writer, closing(bands()) as coming:
        pending: Future[None] | None = None
        for rows in coming:
            previous, pending = pending, writer.submit(keep, rows)
            if previous is not None:
                previous.result()
                yield spool.done
        if pending is not None:
            pending.result()
            yield spool.done


def _write_maps(
    spool: Spool,
    legend: Legend,
    grid: Grid,
    extent: Box,
    paths: dict[RasterPart, Path],
    tags: dict[str, str],
) -> None:
    """The maps from the finished spool; the classes last, so that with them all is there."""
    first, *rest = (_framed(spool.read(layer), grid, extent) for layer in range(spool.layers))
    for part in OPTIONAL:
        if part in paths:
            names = share_names(part, legend.names)
            bands, rest = rest[: len(names)], rest[len(names) :]
            write_shares(paths[part], grid, bands, names=names, scale=1 / CONFIDENCE_STEPS, tags=tags)
    write_map(
        paths["class"],
        grid,
        first,
        colors=[c.rgb for c in legend.classes],
        names=legend.names,
        tags=tags,
    )


def _framed(rows: Iterator[NDArray[np.uint8]], grid: Grid, extent: Box) -> Iterator[NDArray[np.uint8]]:
    """Rows of `extent` as rows of the whole `grid`: nodata around."""
    if extent == grid.box:
        yield from rows
        return
    yield from _nodata(extent.row, grid.width)
    for part in rows:
        whole = np.full((len(part), grid.width), IGNORE, np.uint8)
        whole[:, extent.col : extent.stop_col] = part
        yield whole
    yield from _nodata(grid.height - extent.stop_row, grid.width)


def _nodata(height: int, width: int) -> Iterator[NDArray[np.uint8]]:
    row = np.full((1, width), IGNORE, np.uint8)
    return (row for _ in range(height))


def _extent(grid: Grid, area: "Area | None") -> Box:
    """The window of the image that the map can cover. Raises BadInput for an area elsewhere."""
    if area is None:
        return grid.box
    extent = area.box(grid).clip(grid.width, grid.height)
    if not (extent.width and extent.height):
        raise BadInput(area.path, "does not meet the image", "draw it over the image or leave it out")
    return extent


def _strip_widths(plane: Plane, width: int, classes: int) -> list[int]:
    """Native columns of each column strip, so that the band of probabilities keeps to its budget."""
    row_bytes = 4 * classes * (plane.tiling_y.tile + 1)
    strips = math.ceil(width * plane.taps_x.factor * row_bytes / BAND_BYTES)
    edges = np.linspace(0, width, max(min(strips, width), 1) + 1).round().astype(int)
    return [int(w) for w in np.diff(edges)]


def _cache_bytes(scene: Scene, plane: Plane, width: int, threads: int) -> int:
    """Decoded blocks worth keeping for a column strip of `width` pixels of the map.

    At the native gsd none: each is read once. Where pixels are resampled, those of the strips under
    way: the filter reaches across their borders, and the mask needs them once more.
    """
    if plane.native:
        return 0
    cell, working = scene.cells(Box(0, 0, 1, 1))[0], width * plane.taps_x.factor + 2 * plane.tiling_x.tile
    rows = threads * math.ceil(strip_rows(scene, plane) / plane.scale_y) + 2 * cell.height
    columns = min(math.ceil(working / plane.scale_x), scene.grid.width) + 2 * cell.width
    return rows * columns * (len(scene.bands) * scene.dtype.itemsize + 1)


def _map_id(predictor: Predictor, scene: Scene, area: "Area | None", tags: dict[str, str]) -> str:
    """Names what decides every pixel: network, statistics, options, image, area and the caller's tags."""
    digest, grid = hashlib.sha256(), predictor.map_grid(scene.grid)
    for name, tensor in predictor.segmentor.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    decisive = {
        "tags": tags,
        "crs": grid.crs_wkt,
        "grid": [*grid.transform, grid.width, grid.height],
        "gsd_m": predictor.gsd_m,
        "stats": predictor.stats.to_dict(),
        "classes": [[c.name, c.color] for c in predictor.legend.classes],
        "options": predictor.options.model_dump(),
        "pixels": [scene.bands, scene.indexes, scene.nodata_source],
        "area": area and content_of(area.path),
    }
    digest.update(json.dumps(decisive, sort_keys=True).encode())
    return digest.hexdigest()
