"""How fast a map is made, in how much memory, and what binds it: against a bare network and against peers.

    python -m benchmarks.prediction                # 6144 px, three networks; writes prediction.md
    python -m benchmarks.prediction --size 1536 --networks light
    python -m benchmarks.prediction --heights      # peak memory at 1, 2 and 4 times the height

Every variant runs in a process of its own. Peers are measured where they can be imported, from a
folder on PYTHONPATH: monai 1.6.1 needs nothing more; geoai-py 0.40.1 imports requests, matplotlib,
xarray, rioxarray and leafmap too, though `predict_geotiff` uses none of them.
"""

import argparse
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
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
from core.blend import RowBand
from core.job import Predict
from core.map_files import CONFIDENCE_STEPS
from core.predict import Predictor, predict_scene
from core.strips import StripReader
from geo_io.band_stats import BandStats
from geo_io.blocks import CACHE
from geo_io.grid import Grid
from geo_io.legend import LandClass, Legend
from geo_io.scene import Scene
from geo_io.spool import Spool
from geo_io.write import write_map, write_shares

HERE = Path(__file__).parent
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


def measure(variant: str, name: str, image: Path, threads: int) -> None:
    """The child: prints wall and process seconds of the work and the process's peak memory."""
    torch.set_num_threads(threads)
    CACHE.resize(64 * 2**20)
    with tempfile.TemporaryDirectory(dir=image.parent) as out:
        work = VARIANTS[variant](name, image, Path(out))
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"wall_s": wall, "cpu_s": cpu, "peak_mb": peak / 1024}))


def in_child(variant: str, name: str, image: Path, threads: int) -> dict[str, float]:
    """What `measure` prints. Raises ChildProcessError with the last line of a child that failed."""
    child = ["--child", variant, name, str(image), "--threads", str(threads)]
    command = [sys.executable, "-m", "benchmarks.prediction", *child]
    done = subprocess.run(command, capture_output=True, text=True, cwd=HERE.parent, check=False)
    if done.returncode:
        raise ChildProcessError(f"{variant}: {done.stderr.strip().splitlines()[-1]}")
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def speed_table(name: str, image: Path, size: int, threads: int) -> list[str]:
    """One network's table, and what binds it."""
    lines = [
        f"## {name}, {size} x {size} px\n",
        "| variant | wall s | CPU s | forward-only CPU over its CPU | Mpx / wall s | peak MB |",
        "|---|---|---|---|---|---|",
    ]
    results = {}
    for variant in VARIANTS:
        try:
            r = results[variant] = in_child(variant, name, image, threads)
        except ChildProcessError as fault:
            if variant not in PEERS:
                raise
            lines.append(f"| {variant} | not measured: {fault} | | | | |")
            continue
        share = "" if variant in ALONE else f"{results['forward only']['cpu_s'] / r['cpu_s']:.0%}"
        wall_s, rate = r["wall_s"], size * size / 1e6 / r["wall_s"]
        lines.append(
            f"| {variant} | {wall_s:.1f} | {r['cpu_s']:.1f} | {share} | {rate:.1f} | {r['peak_mb']:.0f} |"
        )
        print(lines[-1], flush=True)
    binding = max(("forward only", *ALONE), key=lambda v: results[v]["cpu_s"])
    return [*lines, f"\nThe binding limit is: {binding}.\n"]


def heights_table(name: str, work: Path, size: int, threads: int) -> list[str]:
    lines = [
        f"## Peak memory by height, {name}, {size} px wide\n",
        "| height px | peak MB | wall s |",
        "|---|---|---|",
    ]
    for height in (size, 2 * size, 4 * size):
        image = drawn(work, height, size)
        r = in_child("isthmus blend", name, image, threads)
        lines.append(f"| {height} | {r['peak_mb']:.0f} | {r['wall_s']:.1f} |")
        print(lines[-1], flush=True)
    return [*lines, ""]


def drawn(work: Path, height: int, width: int) -> Path:
    image = work / f"{height}x{width}.tif"
    if not image.exists():
        draw(image, height, width)
    return image


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", type=int, default=6144, help="side of the image in pixels")
    parser.add_argument("--networks", nargs="+", default=["light", "fpn/tu-mobilenetv1_100", "unet/resnet18"])
    parser.add_argument("--threads", type=int, default=2, help="torch's threads")
    parser.add_argument("--heights", action="store_true", help="measure peak memory at three heights instead")
    parser.add_argument("--out", type=Path, help="the table; default: prediction.md or heights.md here")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        variant, name, image = asked.child
        measure(variant, name, Path(image), asked.threads)
        return
    work = HERE / "work"
    work.mkdir(exist_ok=True)
    lines = [
        "# Making a map\n",
        f"{BANDS} bands uint16 DEFLATE, {CLASSES} classes, tiles of {TILE} px, overlap {OVERLAP} px, "
        f"batch {BATCH}, {asked.threads} threads, torch {torch.__version__} on a CPU. CPU seconds are the "
        "process's own, imports left out; Isthmus writes a confidence raster too, the peers do not.\n",
    ]
    for name in asked.networks:
        print(name, flush=True)
        if asked.heights:
            lines += heights_table(name, work, asked.size, asked.threads)
        else:
            lines += speed_table(name, drawn(work, asked.size, asked.size), asked.size, asked.threads)
    out = asked.out or HERE / ("heights.md" if asked.heights else "prediction.md")
    out.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
