"""A finished run with maps of its own, for what is taken home of one."""

import json
from pathlib import Path

import numpy as np
import rasterio
from rasterio.crs import CRS
from small_job import CLASSES, NAMES, SIDE, draw, truth
from worlds import UTM, north_up

from core.job import load_job
from core.map_files import map_path
from core.run import Run, create
from geo_io.grid import Grid
from geo_io.write import write_map, write_shares

COLORS = [tuple(bytes.fromhex(c["color"][1:])) for c in CLASSES]


def finished_run(folder: Path) -> Run:
    """A run whose source-only model was chosen, with a class and a confidence map by either model."""
    run = create(load_job(draw(folder)), folder / "run")
    grid = Grid(CRS.from_user_input(UTM).to_wkt(), north_up(1.0), SIDE, SIDE)
    ids = truth().copy()
    ids[:8] = 255
    confidence = np.where(ids == 255, 255, 127).astype(np.uint8)
    for which in ("chosen", "source-only", "adapted"):
        write_map(
            map_path(run.folder, which, "target"),
            grid,
            [ids],
            colors=COLORS,
            tags={"RUN": run.id, "MODEL": which},
            names=NAMES,
        )
        to = map_path(run.folder, which, "target", "confidence")
        write_shares(to, grid, [[confidence]], names=["confidence"], scale=1 / 254, tags={"RUN": run.id})
        to = map_path(run.folder, which, "target", "probabilities")
        bands = [[np.where(ids == 255, 255, 40 * i).astype(np.uint8)] for i in range(len(NAMES))]
        write_shares(to, grid, bands, names=NAMES, scale=1 / 254, tags={"RUN": run.id})
    (run.folder / "verdict.json").write_text(json.dumps({"chosen": "source-only", "sure": "likely"}))
    return run


def read(path: Path) -> np.ndarray:
    with rasterio.open(path) as file:
        return file.read(1)
