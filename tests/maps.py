"""A network and scenes small enough to be mapped in every test."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from worlds import noise, write_raster

from core.job import Predict
from core.mapping.predict import Predictor
from geo_io.band_stats import BandStats
from geo_io.legend import LandClass, Legend
from geo_io.scene import Scene

CLASSES = 3


class Net(nn.Module):
    """One convolution of `side` px: what it says of a pixel does not depend on where its tile lies."""

    def __init__(self, bands: int, side: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(bands, CLASSES, side, padding=side // 2)
        generator = torch.Generator().manual_seed(7)
        with torch.no_grad():
            for parameter in self.conv.parameters():
                parameter.copy_(2 * torch.randn(parameter.shape, generator=generator) / side)
        self.batches: list[tuple[int, ...]] = []

    def forward(self, image: Tensor) -> SimpleNamespace:
        self.batches.append(tuple(image.shape))
        return SimpleNamespace(logits=self.conv(image))


def stats_of(bands: int) -> BandStats:
    def each(value: float) -> tuple[float, ...]:
        return (value,) * bands

    return BandStats(
        names=tuple(f"b{i}" for i in range(bands)),
        low=each(5), high=each(240), mean=each(125), std=each(72), minimum=each(1), maximum=each(250),
        valid_share=1.0, pixels=1, histogram=((1,) * 64,) * bands,
    )  # fmt: skip


def legend() -> Legend:
    colors = ("#0000ff", "#00ff00", "#ff0000")
    return Legend(classes=[LandClass(name=f"class {i}", color=c) for i, c in enumerate(colors)])


def predictor_for(scene: Scene, side: int = 1, gsd_m: float | None = None, **options: Any) -> Predictor:
    options = {"tile_px": 64, "overlap_px": 16, "batch": 3} | options
    bands = len(scene.bands)
    device, gsd_m = torch.device("cpu"), gsd_m or scene.grid.gsd_m
    return Predictor(Net(bands, side), stats_of(bands), legend(), Predict(**options), device, gsd_m)


def scene_of(path: Path, height: int, width: int, **how: Any) -> Scene:
    """Two bands of noise with a hole and a torn edge of nodata."""
    values = noise(2, height, width, dtype=how.pop("dtype", "uint16"))
    if height > 8:
        values[:, 3:6, 2:9] = 0
        values[:, :, -2:] = 0
    return Scene.open(write_raster(path, values, nodata=0, **how))
