"""The class raster as it is delivered: filtered and sieved, beside the run's own, which stays."""

from collections.abc import Iterator
from math import ceil
from pathlib import Path

from core.delivery.order import Order
from core.errors import BadInput
from geo_io.class_areas import pixel_areas_m2
from geo_io.grid import Box, Grid
from geo_io.id_rows import file_rows, keep, scene_rows
from geo_io.majority import majority
from geo_io.scene import Scene
from geo_io.sieve import sieve
from geo_io.write import read_tags, write_map

WRITING = 0.9
"""Share of the work that is done once the rows are as they are to be."""


def check_cleaning(order: Order) -> None:
    """Raises BadInput for a window without a centre."""
    side = order.cleaning.majority_px
    if side and side % 2 == 0:
        raise BadInput(f"majority_px {side}", "is even", f"give an odd side, such as {side + 1}")


def cleaned_raster(order: Order, stem: str) -> Iterator[float | Path]:
    """Makes `order.classes(stem)`: the majority first, then the sieve, so that nothing small is left."""
    made, to, cleaning = order.made(stem, "class"), order.classes(stem), order.cleaning
    to.parent.mkdir(parents=True, exist_ok=True)
    kept = [to.with_suffix(f".{name}") for name in ("majority", "sieved")]
    legend, steps = order.run.job.legend, (cleaning.majority_px > 1) + (cleaning.least_m2 > 0)
    with Scene.open(made) as scene:
        grid, rows, done = scene.grid, scene_rows(scene), 0
        if cleaning.majority_px > 1:
            for share in keep(kept[0], grid.height, majority(rows, cleaning.majority_px)):
                yield WRITING * share / steps
            rows, done = file_rows(kept[0], grid.height, grid.width), 1
        if cleaning.least_m2 > 0:
            for share in keep(kept[1], grid.height, sieve(rows, least_px(grid, cleaning.least_m2))):
                yield WRITING * (done + share) / steps
            rows = file_rows(kept[1], grid.height, grid.width)
        write_map(
            to,
            grid,
            rows,
            colors=[c.rgb for c in legend.classes],
            tags=(read_tags(made) or {}) | {"CLEANED": said(order)},
            names=legend.names,
        )
    for path in kept:
        path.unlink(missing_ok=True)
    yield 1.0


def least_px(grid: Grid, least_m2: float) -> int:
    """The least pixels of a component that covers that much ground in the grid's centre."""
    centre = grid.crop(Box(grid.width // 2, grid.height // 2, 1, 1))
    return ceil(least_m2 / float(pixel_areas_m2(centre)[0, 0]) * (1 - 1e-9))


def said(order: Order) -> str:
    """What was done, as the raster's tag."""
    return f"least_m2={order.cleaning.least_m2:g}, majority_px={order.cleaning.majority_px}"
