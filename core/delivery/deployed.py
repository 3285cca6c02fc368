"""A trained network as one graph from pixel values to probabilities, for those who run it without Isthmus."""

import json
from typing import Any

import torch
from torch import Tensor, nn

from core.imagery.radiometry import Standardise
from core.job import Job
from core.networks.multi_resolution import MultiResolutionBody
from core.networks.segmentor import Segmentor
from geo_io.band_stats import BandStats
from geo_io.grid import Grid

PLUGIN_SCALE = 255.0
"""What the QGIS plugin Deepness divides every pixel value by, whatever the bit depth."""
MOST_CELLS = 256
OPSET = 18


class Deployed(nn.Module):
    """(b, c, h, w) pixel values over `divided_by` -> (b, k, h, w) probabilities; sides are multiples of
    `multiple_px`. Every pixel is taken for valid."""

    def __init__(self, segmentor: Segmentor, stats: BandStats, divided_by: float = 1.0) -> None:
        super().__init__()
        self.body, self.multiple_px = segmentor.body, segmentor.multiple_px
        self.standardise, self.divided_by = Standardise(stats), divided_by
        self.eval()

    def forward(self, image: Tensor) -> Tensor:
        everywhere = torch.ones_like(image[:, 0], dtype=torch.bool)
        logits: Tensor = self.body(self.standardise(image * self.divided_by, everywhere)).logits
        return torch.softmax(logits.float(), 1)

    @property
    def any_size(self) -> bool:
        """Windows of several resolutions are laid out for one size."""
        return not isinstance(self.body, MultiResolutionBody)

    def tile_px(self, wanted: int) -> int:
        """The side of a tile nearest to the one wanted."""
        return max(round(wanted / self.multiple_px), 1) * self.multiple_px

    def example(self, bands: int, tile_px: int) -> Tensor:
        """A batch that the graph is traced with: sides that are no multiples of each other."""
        if not self.any_size:
            return torch.zeros(1, bands, tile_px, tile_px)
        return torch.zeros(2, bands, 3 * self.multiple_px, 4 * self.multiple_px)

    def dynamic_shapes(self) -> dict[str, Any] | None:
        if not self.any_size:
            return None
        batch = torch.export.Dim("batch", min=1, max=MOST_CELLS)
        rows, cols = (torch.export.Dim(name, min=1, max=MOST_CELLS) for name in ("rows", "cols"))
        return {"image": {0: batch, 2: self.multiple_px * rows, 3: self.multiple_px * cols}}


def plugin_metadata(job: Job, gsd_m: float, grid: Grid, tile_px: int) -> dict[str, str]:
    """What Deepness reads of an ONNX file; resolution in centimetres a pixel, overlap in per cent.

    The plugin takes map units for metres on the ground, in Web Mercator too: centimetres are those of `grid`.
    """
    overlap = min(round(100 * job.predict.overlap_px / job.predict.tile_px), 80)
    values = {
        "model_type": "Segmentor",
        "class_names": {str(i): name for i, name in enumerate(job.legend.names)},
        "resolution": 100 * gsd_m * grid.said_gsd_m / grid.gsd_m,
        "tile_size": tile_px,
        "tiles_overlap": overlap,
        "seg_thresh": 0.0,
    }
    return {key: json.dumps(value) for key, value in values.items()}
