"""How fast, and in how much memory, a class raster is sieved and made polygons: by height, and beside GDAL.

    python -m benchmarks.polygons                  # 20,000 px wide, three heights; writes polygons.md
    python -m benchmarks.polygons --size 2000

Every measurement runs in a process of its own. The peer is rasterio's `sieve` and `shapes` on the whole
array, read before the clock starts, at a quarter of the height.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyogrio
import pyogrio.raw
import rasterio
import shapely
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS
from rasterio.features import shapes
from rasterio.features import sieve as gdal_sieve
from shapely.geometry import shape

from geo_io.blocks import CACHE
from geo_io.grid import Grid
from geo_io.id_rows import keep, scene_rows
from geo_io.polygonise import MOST_CORNERS, Polygons, polygonise
from geo_io.polygons import writing_polygons
from geo_io.scene import Scene
from geo_io.sieve import sieve
from geo_io.write import write_map

HERE = Path(__file__).parent
CLASSES, SALT, LEAST_PX, SEED = 6, 0.01, 25, 0
OCTAVES = ((256, 1.0), (64, 0.6), (16, 0.25))
"""Pixels between the knots of a smooth random field, and its share."""


def drawn(height: int, width: int) -> Iterator[NDArray[np.uint8]]:
    """Smooth fields cut into classes, with a few pixels of any class strewn in."""
    rng = np.random.default_rng(SEED)
    knots = {step: rng.normal(size=(height // step + 3, width // step + 3)) for step, _ in OCTAVES}
    for top in range(0, height, 512):
        rows = min(512, height - top)
        field = np.zeros((rows, width), np.float32)
        for step, share in OCTAVES:
            field += share * _stretched(knots[step], top, rows, width, step)
        ids = np.digitize(field, np.linspace(-0.7, 0.7, CLASSES - 1)).astype(np.uint8)
        strewn = rng.random(ids.shape, np.float32) < SALT
        ids[strewn] = rng.integers(0, CLASSES, int(strewn.sum()))
        yield ids


def _stretched(knots: NDArray[np.float64], top: int, rows: int, width: int, step: int) -> NDArray[np.float32]:
    """Knots `step` pixels apart, linearly in between."""
    y, x = (np.arange(top, top + rows) / step, np.arange(width) / step)
    first = int(y[0])
    part = knots[first : int(y[-1]) + 2].astype(np.float32)
    left = x.astype(int)
    right = (x - left).astype(np.float32)
    wide = part[:, left] * (1 - right) + part[:, left + 1] * right
    upper = y.astype(int) - first
    down = (y - first - upper)[:, None].astype(np.float32)
    return np.asarray(wide[upper] * (1 - down) + wide[upper + 1] * down, np.float32)


def grid_of(height: int, width: int) -> Grid:
    return Grid(CRS.from_epsg(32633).to_wkt(), Affine(1, 0, 500_000, 0, -1, 5_000_000), width, height)


def sieved(image: Path, out: Path) -> Callable[[], int]:
    def work() -> int:
        with Scene.open(image) as scene:
            rows = scene_rows(scene)
            for _ in keep(out / "rows", rows.height, sieve(rows, LEAST_PX)):
                pass
        return 0

    return work


def polygons(simplify_px: float) -> Callable[[Path, Path], Callable[[], int]]:
    def ready(image: Path, out: Path) -> Callable[[], int]:
        def work() -> int:
            count = 0
            with Scene.open(image) as scene, writing_polygons(out / "p.gpkg", scene.grid.crs_wkt) as write:
                for said in polygonise(scene_rows(scene), scene.grid, simplify_px=simplify_px):
                    if isinstance(said, Polygons):
                        write(said.shapes, {"class_id": said.class_id.astype(np.int32), "area": said.area_m2})
                        count += len(said.shapes)
            return count

        return work

    return ready


def peer_sieved(image: Path, _out: Path) -> Callable[[], int]:
    with rasterio.open(image) as file:
        ids = file.read(1)
    return lambda: gdal_sieve(ids, LEAST_PX).size


def peer_polygons(image: Path, out: Path) -> Callable[[], int]:
    with rasterio.open(image) as file:
        ids, transform, crs = file.read(1), file.transform, file.crs.to_wkt()

    def work() -> int:
        found = [(shape(outline), int(value)) for outline, value in shapes(ids, transform=transform)]
        geometry = shapely.to_wkb(np.array([polygon for polygon, _ in found], object))
        area = shapely.area(shapely.from_wkb(geometry))
        pyogrio.raw.write(
            out / "peer.gpkg",
            geometry=geometry,
            field_data=[np.array([value for _, value in found], np.int32), area],
            fields=["class_id", "area"],
            geometry_type="Polygon",
            crs=crs,
            driver="GPKG",
        )
        return len(found)

    return work


VARIANTS: dict[str, Callable[[Path, Path], Callable[[], int]]] = {
    "isthmus sieve": sieved,
    "isthmus polygons": polygons(0.0),
    "isthmus polygons, simplified": polygons(2.0),
    "GDAL sieve": peer_sieved,
    "GDAL shapes": peer_polygons,
}
SIEVES = ("isthmus sieve", "GDAL sieve")


def measure(variant: str, image: Path) -> None:
    """The child: prints seconds of the work, polygons made, and the process's peak memory."""
    CACHE.resize(64 * 2**20)
    with tempfile.TemporaryDirectory(dir=image.parent) as out:
        work = VARIANTS[variant](image, Path(out))
        wall, cpu = time.perf_counter(), time.process_time()
        count = work()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"wall_s": wall, "cpu_s": cpu, "peak_mb": peak / 1024, "count": count}))


def in_child(*asked: str) -> str:
    """A process begins with its parent's peak memory as its own: whatever is large is done in another."""
    command = [sys.executable, "-m", "benchmarks.polygons", *asked]
    done = subprocess.run(command, capture_output=True, text=True, cwd=HERE.parent, check=False)
    if done.returncode:
        raise ChildProcessError(f"{asked}: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout


def paths(height: int, width: int) -> tuple[Path, Path]:
    """The drawn raster, and the same sieved."""
    folder = HERE / "work"
    return folder / f"classes-{height}x{width}.tif", folder / f"classes-{height}x{width}-sieved.tif"


def draw(height: int, width: int) -> None:
    raw, clean = paths(height, width)
    grid = grid_of(height, width)
    if not raw.exists():
        write_map(raw, grid, drawn(height, width), colors=[], tags={})
    if not clean.exists():
        with Scene.open(raw) as scene:
            made = (said for said in sieve(scene_rows(scene), LEAST_PX) if not isinstance(said, float))
            write_map(clean, grid, made, colors=[], tags={})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", type=int, default=20_000, help="side of the largest raster in pixels")
    parser.add_argument("--out", type=Path, default=HERE / "polygons.md", help="the table")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--draw", nargs=2, type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.draw:
        draw(*asked.draw)
        return
    if asked.child:
        measure(asked.child[0], Path(asked.child[1]))
        return
    (HERE / "work").mkdir(exist_ok=True)
    width = asked.size
    lines = [
        "# Sieving and polygons by height\n",
        f"{width:,} px wide, {CLASSES} classes from smooth random fields, {SALT:.0%} of the pixels strewn "
        f"with others; sieved to {LEAST_PX} px, then made polygons in a GeoPackage (simplified: 2 px). The "
        "peer has the whole array in memory before its clock starts. More polygons than the peer's: areas of "
        f"more than {MOST_CORNERS:,} corners stay in pieces.\n",
        "| variant | height px | polygons | wall s | CPU s | Mpx / CPU s | peak MB |",
        "|---|---|---|---|---|---|---|",
    ]
    for height in (width // 4, width // 2, width):
        raw, clean = paths(height, width)
        in_child("--draw", str(height), str(width))
        for variant in VARIANTS:
            if variant.startswith("GDAL") and height > width // 4:
                continue
            r = json.loads(in_child("--child", variant, str(raw if variant in SIEVES else clean)))
            count = "" if variant in SIEVES else f"{r['count']:,.0f}"
            rate = width * height / 1e6 / r["cpu_s"]
            lines.append(
                f"| {variant} | {height} | {count} | {r['wall_s']:.1f} | {r['cpu_s']:.1f} | {rate:.1f} "
                f"| {r['peak_mb']:.0f} |"
            )
            print(lines[-1], flush=True)
            asked.out.write_text("\n".join([*lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
