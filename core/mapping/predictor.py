"""From tiles of pixels to logits: a trained segmentor and all that it needs to make maps."""

import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from lightning_fabric.utilities import move_data_to_device
from torch import Tensor, nn

from core.errors import BadInput, RunFailed
from core.imagery import orientations
from core.imagery.radiometry import Standardise
from core.job import Predict
from core.mapping.blend import Plane
from core.mapping.tiling import Taps, Tiling
from geo_io.band_stats import BandStats
from geo_io.grid import Grid
from geo_io.legend import Legend

_EVERYWHERE = ("uint8", "int16", "float32")
_CUDA_AND_CPU = (*_EVERYWHERE, "uint16")


class Predictor:
    """Turns tiles of pixels into logits; everything that one map shares with the next."""

    def __init__(
        self,
        segmentor: nn.Module,
        stats: BandStats,
        legend: Legend,
        options: Predict,
        device: torch.device,
        gsd_m: float,
        native: bool = True,
    ) -> None:
        """`segmentor` lies on `device` already. `native`: maps have the image's pixels, else the network's.

        Raises BadInput for an overlap that leaves no tile.
        """
        if options.overlap_px >= options.tile_px:
            raise BadInput(
                "predict.overlap_px", "is not smaller than predict.tile_px", "a quarter of it is usual"
            )
        self.segmentor, self.stats, self.legend, self.options = segmentor, stats, legend, options
        self.device, self.gsd_m, self.native = device, gsd_m, native
        self.at_once = sys.maxsize
        self.standardise = Standardise(stats).to(device)

    @torch.inference_mode()
    def logits(self, values: Tensor, valid: Tensor) -> Tensor:
        """(b, c, t, t) pixel values, (b, t, t) validity, of the host -> (b, k, t, t) on the device.

        Where memory is short they are taken in smaller parts, from then on. Raises RunFailed where there
        is not enough for one tile.
        """
        while True:
            parts = zip(*(torch.split(each, self.at_once) for each in (values, valid)), strict=True)
            try:
                found = [self._forward(*part) for part in parts]
                return found[0] if len(found) == 1 else torch.cat(found)
            except (torch.OutOfMemoryError, MemoryError):
                if min(self.at_once, len(values)) == 1:
                    raise RunFailed(
                        f"not enough memory on {self.device} for a tile of {values.shape[-1]} px; "
                        "lower predict.tile_px"
                    ) from None
            self.at_once = min(self.at_once, len(values)) // 2

    def _forward(self, values: Tensor, valid: Tensor) -> Tensor:
        """Invalid pixels, and what lies past the raster's border, are the domain's mean: what the network
        met under nodata in training too."""
        values, valid = move_data_to_device((values, valid), self.device)
        image = torch.empty(values.shape, device=self.device)
        for i in range(len(values)):  # one at a time: buffers of a tile stay in the allocator's cache
            image[i] = self.standardise(values[i : i + 1], valid[i : i + 1])[0]
        views = orientations.ALL[: self.options.test_time_views]
        with evaluating(self.segmentor):
            if len(views) == 1:
                logits: Tensor = self.segmentor(image).logits
                return logits
            total = self._as_seen(image, views[0])
            for view in views[1:]:
                total += self._as_seen(image, view)
            return total.div_(len(views)).log_()

    def _as_seen(self, image: Tensor, view: int) -> Tensor:
        """(b, c, t, t) -> (b, k, t, t): the probabilities that images have when seen in an orientation."""
        logits = self.segmentor(orientations.turn(image, view).contiguous()).logits
        return orientations.turn_back(torch.softmax(logits.float(), 1), view)

    def map_grid(self, grid: Grid) -> Grid:
        """The pixels of the map of an image on `grid`."""
        return grid if self.native else grid.at_gsd(self.gsd_m)

    def plane(self, grid: Grid) -> Plane:
        """The tiles of an image on `grid`."""
        working, tile, overlap = grid.at_gsd(self.gsd_m), self.options.tile_px, self.options.overlap_px
        to_working = ~working.transform @ grid.transform
        scale_y, scale_x = (1.0, 1.0) if working is grid else (to_working.e, to_working.a)
        map_ = self.map_grid(grid)
        return Plane(
            Tiling(working.height, tile, overlap),
            Tiling(working.width, tile, overlap),
            Taps(map_.height, working.height, scale_y if self.native else 1.0),
            Taps(map_.width, working.width, scale_x if self.native else 1.0),
            scale_y,
            scale_x,
        )

    def slots(self, tiles_per_row: int) -> int:
        """Tiles in a forward pass: the same for the whole raster, so that its rows fill it evenly."""
        passes = math.ceil(tiles_per_row / self.options.batch)
        return math.ceil(tiles_per_row / passes)

    def staged(self, dtype: np.dtype[np.generic], bands: int, slots: int) -> tuple[Tensor, Tensor]:
        """Empty tiles on the host, for `logits`: values (slots, c, t, t), validity (slots, t, t)."""
        tile, pinned = self.options.tile_px, self.device.type == "cuda"
        kept = dtype.name in _CUDA_AND_CPU and (
            dtype.name in _EVERYWHERE or self.device.type in ("cpu", "cuda")
        )
        tensor_dtype = getattr(torch, dtype.name if kept else "float32")
        values = torch.zeros(slots, bands, tile, tile, dtype=tensor_dtype, pin_memory=pinned)
        return values, torch.zeros(slots, tile, tile, dtype=torch.bool, pin_memory=pinned)


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Evaluation mode, and every module's own mode afterwards: some may be frozen during training."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
