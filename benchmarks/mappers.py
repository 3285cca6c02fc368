"""Ways of making a map of a drawn image, as `benchmarks.prediction` measures them: ours, its parts, peers."""

import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import rasterio
import segmentation_models_pytorch as smp
import torch
from affine import Affine
from numpy.typing import NDArray
from rasterio.windows import Window
from torch import Tensor, nn

from core.ahead import ahead
from core.job import Predict
from core.mapping.blend import RowBand
from core.mapping.predict import Predictor, predict_scene
from core.mapping.strips import StripReader
from core.runs.map_files import CONFIDENCE_STEPS
from geo_io.band_stats import BandStats
from geo_io.grid import Grid
from geo_io.legend import LandClass, Legend
from geo_io.scene import Scene
from geo_io.spool import Spool
from geo_io.write import write_map, write_shares

BANDS, CLASSES, TILE, OVERLAP, BATCH = 4, 7, 512, 128, 8
LEVELS = (300.0, 4000.0, 1500.0, 900.0)
"""Robust minimum, robust maximum, mean and standard deviation of the drawn pixels, in every band."""


def draw(path: Path, height: int, width: int) -> None:
    """A textured image of patches and grain, block row by block row."""
    profile = {"driver": "GTiff", "dtype": "uint16", "count": BANDS, "height": height, "width": width}
    tiles = {"tiled": True, "blockxsize": 512, "blockysize": 512, "compress": "deflate", "predictor": 2}
    place = {"crs": "EPSG:32633", "transform": Affine(10, 0, 500_000, 0, -10, 5_000_000), "nodata": 0}
    partial = path.with_suffix(".partial")
    with rasterio.open(partial, "w", **profile, **tiles, **place) as file:
        for top in range(0, height, 512):
            rows = min(512, height - top)
            rng = np.random.default_rng(top)
            coarse = rng.integers(400, 3500, (BANDS, math.ceil(rows / 32), math.ceil(width / 32)))
            patches = coarse.repeat(32, axis=1).repeat(32, axis=2)[:, :rows, :width]
            grain = rng.normal(0, 60, patches.shape)
            file.write((patches + grain).clip(1, 5000).astype(np.uint16), window=Window(0, top, width, rows))
    partial.replace(path)


class Segmentor(nn.Module):
    """A network as predict_scene takes it."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, image: Tensor) -> SimpleNamespace:
        return SimpleNamespace(logits=self.body(image))


def network(name: str) -> nn.Module:
    torch.manual_seed(0)
    if name == "light":
        layers: list[nn.Module] = []
        for inner, outer in ((BANDS, 16), (16, 16), (16, 16)):
            layers += [nn.Conv2d(inner, outer, 3, padding=1), nn.ReLU()]
        body: nn.Module = nn.Sequential(*layers, nn.Conv2d(16, CLASSES, 1))
    else:
        decoder, encoder = name.split("/")
        body = smp.create_model(decoder, encoder, encoder_weights=None, in_channels=BANDS, classes=CLASSES)
    return body.eval().to(memory_format=torch.channels_last)


def predictor_for(name: str, scene: Scene, mode: str) -> Predictor:
    low, high, mean, std = ((level,) * BANDS for level in LEVELS)
    stats = BandStats(scene.bands, low, high, mean, std, low, high, 1.0, 1, ((1,),) * BANDS)
    legend = Legend(classes=[LandClass(name=f"class {i}", color=f"#{i:06x}") for i in range(CLASSES)])
    options = Predict(mode=mode, tile_px=TILE, overlap_px=OVERLAP, batch=BATCH)
    gsd_m = scene.grid.gsd_m
    return Predictor(Segmentor(network(name)), stats, legend, options, torch.device("cpu"), gsd_m)


def standardised(values: NDArray[Any]) -> NDArray[np.float32]:
    """What peers are given to do on the host, in place."""
    low, high, mean, std = LEVELS
    pixels: NDArray[np.float32] = values.astype(np.float32)
    np.clip(pixels, low, high, out=pixels)
    pixels -= mean
    pixels /= std
    return pixels


# What is measured: each makes ready and returns the work itself, which is timed.


def ours(mode: str) -> Callable[[str, Path, Path], Callable[[], None]]:
    def ready(name: str, image: Path, out: Path) -> Callable[[], None]:
        scene = Scene.open(image)
        predictor = predictor_for(name, scene, mode)
        return lambda: [None for _ in predict_scene(predictor, scene, None, out, "map", {})].clear()

    return ready


@torch.inference_mode()
def forward_only(name: str, image: Path, _out: Path) -> Callable[[], None]:
    with Scene.open(image) as scene:
        plane = predictor_for("light", scene, "blend").plane(scene.grid)
    passes = plane.tiling_y.count * math.ceil(plane.tiling_x.count / BATCH)
    slots = math.ceil(plane.tiling_x.count / math.ceil(plane.tiling_x.count / BATCH))
    net, tiles = network(name), torch.randn(slots, BANDS, TILE, TILE)

    def work() -> None:
        with torch.inference_mode():
            for _ in range(passes):
                net(tiles)

    return work


def decode_only(_name: str, image: Path, _out: Path) -> Callable[[], None]:
    scene = Scene.open(image)
    reader = StripReader(
        scene, scene.grid.gsd_m, None, predictor_for("light", scene, "blend").plane(scene.grid)
    )
    return lambda: [None for _ in ahead(reader.read, reader.tops(0, scene.grid.height), 2)].clear()


def blend_only(_name: str, image: Path, _out: Path) -> Callable[[], None]:
    with Scene.open(image) as scene:
        plane = predictor_for("light", scene, "blend").plane(scene.grid)
    band = RowBand(plane, (0, plane.tiling_x.size), CLASSES, "blend", torch.device("cpu"))
    logits = torch.randn(1, CLASSES, TILE, TILE).to(memory_format=torch.channels_last)[0]

    def work() -> None:
        for row in range(plane.tiling_y.count):
            band.move_to(row)
            for col in range(plane.tiling_x.count):
                band.add(row, col, logits)
            band.finish(plane.tiling_y.start(row), plane.tiling_y.final(row))

    return work


def write_only(_name: str, image: Path, out: Path) -> Callable[[], None]:
    with Scene.open(image) as scene:
        grid = scene.grid
    rng = np.random.default_rng(0)
    classes = (
        rng.integers(0, CLASSES, (48, grid.width // 32 + 1)).repeat(32, 0).repeat(32, 1)[:, : grid.width]
    )
    confidence = rng.normal(180, 30, classes.shape).clip(0, 254)
    rows = np.stack([classes, confidence]).astype(np.uint8)

    def work() -> None:
        with Spool(out / "rows.spool", bytes(32), grid.height, [grid.width], 2) as spool:
            while spool.done < grid.height:
                spool.append(rows[:, : min(384, grid.height - spool.done)])
            colors = [(i, i, i) for i in range(CLASSES)]
            write_map(out / "c.tif", grid, spool.read(0), colors=colors, tags={})
            write_shares(
                out / "p.tif", grid, [spool.read(1)], names=["p"], scale=1 / CONFIDENCE_STEPS, tags={}
            )

    return work


def monai(name: str, image: Path, out: Path) -> Callable[[], None]:
    from monai.inferers import sliding_window_inference

    net = network(name)

    def work() -> None:
        with rasterio.open(image) as file, torch.inference_mode():
            pixels = torch.from_numpy(standardised(file.read()))[None]
            grid = Grid(file.crs.to_wkt(), file.transform, file.width, file.height)
            scores = sliding_window_inference(
                pixels, (TILE, TILE), BATCH, net, overlap=OVERLAP / TILE, mode="gaussian"
            )
            classes = scores[0].argmax(0).to(torch.uint8).numpy()
        write_map(out / "monai.tif", grid, [classes], colors=[], tags={})

    return work


def geoai(name: str, image: Path, out: Path) -> Callable[[], None]:
    from geoai.inference import predict_geotiff

    net = network(name)
    return lambda: predict_geotiff(
        net,
        str(image),
        str(out / "geoai.tif"),
        tile_size=TILE,
        overlap=OVERLAP,
        batch_size=BATCH,
        num_classes=CLASSES,
        output_dtype="uint8",
        output_nodata=255,
        blend_mode="cosine",
        preprocess_fn=standardised,
        postprocess_fn=lambda scores: scores.argmax(0)[None].astype(np.uint8),
        device="cpu",
        compress="deflate",
        verbose=False,
    )


VARIANTS: dict[str, Callable[[str, Path, Path], Callable[[], object]]] = {
    "forward only": forward_only,
    "isthmus blend": ours("blend"),
    "isthmus crop": ours("crop"),
    "monai sliding_window_inference": monai,
    "geoai predict_geotiff": geoai,
    "decode alone": decode_only,
    "blend and decide alone": blend_only,
    "spool and write alone": write_only,
}
PEERS = ("monai sliding_window_inference", "geoai predict_geotiff")
ALONE = ("decode alone", "blend and decide alone", "spool and write alone")
