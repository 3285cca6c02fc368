"""The source's scenes in the target's look, as GeoTIFFs: what a translating method trained on, to be seen.

A generator normalises by the statistics of the tile at hand, so that neighbouring tiles differ in tone.
Tiles are therefore as large as the crops that it learnt from, overlap by half, and are blended by a
window that falls to 0 at their borders: tones change gradually, and there is no seam.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.bench import SOURCE
from core.devices import autocast_type, launch, placed
from core.errors import BadInput
from core.events import Pictured, Progressed
from core.execution.stages import ADAPTED
from core.imagery.places import Place, open_like
from core.imagery.radiometry import Standardise
from core.parts.translator import FILE, Translator, load_translator
from core.prepare import seen, seen_target
from core.runs.map_files import stems
from core.runs.run import open_run
from geo_io.band_stats import BandStats
from geo_io.grid import Box, Grid
from geo_io.patch import Patch
from geo_io.write import BLOCK_PX, writing_image

PANEL_PX = 4 * BLOCK_PX
"""Side of the windows that are made and written at once: memory does not grow with the scene."""
SUFFIX = ".translated.tif"

Pixels = tuple[NDArray[np.generic], NDArray[np.bool_]]
"""Values (c, h, w) and validity (h, w)."""
Part = tuple[slice, slice]


def translate_scenes(folder: Path, to: Path) -> Iterator[Progressed | Pictured]:
    """Write every source scene of a run, as its translator shows it, to the folder `to`.

    In the target's pixel type and units, on the scene's grid at the pixel size that the run works at; what
    is nodata or outside of the area of interest is masked. Raises BadInput for a run without a translator.
    """
    run = open_run(folder)
    path = run.phase(ADAPTED) / FILE
    if not path.exists():
        problem = f"has no trained translator ({run.job.method.name})"
        raise BadInput(folder, problem, "let a run of cyclegan, cycada or bdl get past its phase `translate`")
    translator, made = load_translator(path)
    device = launch(run.job.schedule).device
    translator.precision = autocast_type(run.job.schedule, device)
    cache, crop_px = run.folder / "cache", run.job.sampling.crop_px
    target, gsd_m = seen_target(cache)
    painter = Painter(
        placed(translator, device),
        Standardise(seen(cache, SOURCE)).to(device),
        target,
        np.dtype(made.dtype),
        run.job.predict.batch,
        gsd_m,
    )
    unlabelled = [scene.model_copy(update={"labels": None}) for scene in run.job.source.scenes]
    source = run.job.source.model_copy(update={"scenes": unlabelled})
    places = open_like(source, run.job.legend, made.bands)
    tilings = [Tiles.of(place.scene.grid.at_gsd(gsd_m), crop_px) for place in places]
    done, total = 0, sum(tiles.count for tiles in tilings)
    tags = {"run": run.id, "method": run.job.method.name, "look": run.job.target.name}
    for place, tiles, stem in zip(places, tilings, stems(source.scenes), strict=True):
        file = to / (stem + SUFFIX)
        with writing_image(file, tiles.grid, painter.dtype, made.bands, tags) as write:
            for panel in tiles.panels:
                for painted in painter.paint(place, tiles, panel):
                    if isinstance(painted, int):
                        done += painted
                        yield Progressed(what="translate", done=done, total=total)
                    else:
                        write(panel, *painted)
        yield Pictured(what=f"translated {stem}", path=str(file))


@dataclass(frozen=True)
class Tiles:
    """Square tiles of `side` pixels over a grid, overlapping by half; the last ones end where it ends."""

    grid: Grid
    side: int

    @classmethod
    def of(cls, grid: Grid, side: int) -> "Tiles":
        return cls(grid, min(side, grid.width, grid.height))

    @property
    def panels(self) -> list[Box]:
        height, width = self.grid.height, self.grid.width
        corners = product(range(0, height, PANEL_PX), range(0, width, PANEL_PX))
        return [Box(col, row, PANEL_PX, PANEL_PX).clip(width, height) for row, col in corners]

    @property
    def count(self) -> int:
        """How many are made: those that two panels share, twice."""
        return sum(len(self.covering(panel)) for panel in self.panels)

    def covering(self, box: Box) -> list[Box]:
        """The tiles that hold a pixel of `box`, row by row."""
        rows = self._starts(self.grid.height, box.row, box.stop_row)
        cols = self._starts(self.grid.width, box.col, box.stop_col)
        return [Box(col, row, self.side, self.side) for row, col in product(rows, cols)]

    def _starts(self, size: int, low: int, high: int) -> list[int]:
        last = size - self.side
        starts = [*range(0, last, max(self.side // 2, 1)), last]
        return [start for start in starts if start < high and start + self.side > low]

    @property
    def window(self) -> NDArray[np.float32]:
        """(side, side) positive weights, falling to nearly 0 at a tile's border."""
        rise = np.sin((np.arange(self.side) + 0.5) / self.side * np.pi) ** 2
        return np.outer(rise, rise).astype(np.float32)


@dataclass(frozen=True)
class Painter:
    """A translator on its device, and what lies between pixel values and it on either side."""

    translator: Translator
    standardise: Standardise
    target: BandStats
    dtype: np.dtype[np.generic]
    batch: int
    gsd_m: float

    def paint(self, place: Place, tiles: Tiles, panel: Box) -> Iterator[int | Pixels]:
        """Yield, batch by batch, how many tiles were made, and last the pixels of `panel`."""
        boxes = tiles.covering(panel)
        left, top = min(box.col for box in boxes), min(box.row for box in boxes)
        right, bottom = max(box.stop_col for box in boxes), max(box.stop_row for box in boxes)
        patch = place.scene.read(Box(left, top, right - left, bottom - top), self.gsd_m)
        image, valid = self._standardised(patch)
        window = torch.from_numpy(tiles.window).to(image.device)
        sums, weights = torch.zeros_like(image), torch.zeros_like(image[0])
        for start in range(0, len(boxes), self.batch):
            parts = [_within(box, left, top) for box in boxes[start : start + self.batch]]
            for part, made in zip(parts, self._translated(image, valid, parts), strict=True):
                sums[:, *part] += made * window
                weights[part] += window
            yield len(parts)
        inner = _within(panel, left, top)
        wanted = patch.valid if place.area is None else patch.valid & place.area.read(patch.grid)
        yield self._pixels((sums[:, *inner] / weights[inner]).cpu().numpy(), wanted[inner]), wanted[inner]

    def _standardised(self, patch: Patch) -> tuple[Tensor, Tensor]:
        """The patch on the device: (c, h, w) standardised, (h, w) validity."""
        device = self.standardise.low.device
        values = torch.from_numpy(patch.values.astype(np.float32)).to(device)
        valid = torch.from_numpy(patch.valid).to(device)
        image: Tensor = self.standardise(values[None], valid[None])[0]
        return image, valid

    @torch.no_grad()
    def _translated(self, image: Tensor, valid: Tensor, parts: list[Part]) -> Tensor:
        """(c, h, w), (h, w) -> the parts, in the target's units (b, c, side, side)."""
        tiles: Tensor = self.translator(
            torch.stack([image[:, *part] for part in parts]), torch.stack([valid[part] for part in parts])
        )
        return tiles

    def _pixels(self, image: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.generic]:
        """(c, h, w) standardised -> pixel values of the target's type and range, 0 where invalid."""
        low, high, mean, std = (
            np.array(column, np.float32)[:, None, None]
            for column in (self.target.low, self.target.high, self.target.mean, self.target.std)
        )
        values = np.clip(image * std + mean, low, high)
        values = values if self.dtype.kind == "f" else np.rint(values)
        return np.where(valid, values, 0).astype(self.dtype)


def _within(box: Box, left: int, top: int) -> Part:
    """The rows and columns of `box` in an array whose first pixel is at `left`, `top`."""
    return slice(box.row - top, box.stop_row - top), slice(box.col - left, box.stop_col - left)
