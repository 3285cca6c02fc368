"""A finished run with maps of its own, for what is taken home of one."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import rasterio
from rasterio.crs import CRS
from small_job import CLASSES, NAMES, SIDE, draw, truth
from worlds import UTM, north_up

from core.job import load_job
from core.runs.map_files import map_path
from core.runs.run import Run, create
from core.terms import Which
from geo_io.grid import Grid
from geo_io.write import write_map, write_shares

COLORS = [tuple(bytes.fromhex(c["color"][1:])) for c in CLASSES]


def finished_run(folder: Path, names: Sequence[str] = ("target",), crs: str | None = UTM) -> Run:
    """A run whose source-only model was chosen, with class and share maps of its scenes by either model."""
    scenes = {} if names == ("target",) else {"target.scenes": [{"path": f"{name}.tif"} for name in names]}
    job = draw(folder, scenes)
    for name in names:
        if name != "target":
            shutil.copy(folder / "target.tif", folder / f"{name}.tif")
    run = create(load_job(job), folder / "run")
    grid = Grid(crs and CRS.from_user_input(crs).to_wkt(), north_up(1.0), SIDE, SIDE)
    for which in ("chosen", "source-only", "adapted"):
        for name in names:
            write_maps(run, which, name, grid)
    (run.folder / "verdict.json").write_text(json.dumps({"chosen": "source-only", "sure": "likely"}))
    return run


def write_maps(run: Run, which: Which, name: str, grid: Grid) -> None:
    ids = truth().copy()
    ids[:8] = 255
    confidence = np.where(ids == 255, 255, 127).astype(np.uint8)
    write_map(
        map_path(run.folder, which, name),
        grid,
        [ids],
        colors=COLORS,
        tags={"RUN": run.id, "MODEL": which},
        names=NAMES,
    )
    to = map_path(run.folder, which, name, "confidence")
    write_shares(to, grid, [[confidence]], names=["confidence"], scale=1 / 254, tags={"RUN": run.id})
    to = map_path(run.folder, which, name, "probabilities")
    bands = [[np.where(ids == 255, 255, 40 * i).astype(np.uint8)] for i in range(len(NAMES))]
    write_shares(to, grid, bands, names=NAMES, scale=1 / 254, tags={"RUN": run.id})


def read(path: Path) -> np.ndarray:
    with rasterio.open(path) as file:
        return file.read(1)
