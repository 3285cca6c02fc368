"""How long a frame takes while a raster of 50,000 x 50,000 pixels is panned and zoomed.

    python -m benchmarks.panning            # prints a table, one row with overviews, one without

The raster is a VRT that repeats one textured, deflated file of three uint16 bands, so that decoding is
real. A frame is one step of the view and the painting of the whole window, which happens on the window's
thread; the delay of the event loop is that of a timer due every 5 ms.
"""

import os
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from rasterio.enums import Resampling

from app.map.image_layer import ImageLayer
from app.map.view import MapView

SIDE_PX, PART_PX, SIZE = 50_000, 2048, (1280, 800)
FRAME_MS, BEAT_MS = 16, 5
OVERVIEWS = (2, 4, 8, 16, 32, 64, 128)
HEAD = "| raster | frames | median | 99 % | worst | loop delay 99.9 % | longest | first sight | peak memory |"


def draw(path: Path) -> None:
    """A textured file of 2048 x 2048 pixels, with overviews of its own for those of the VRT."""
    rng = np.random.default_rng(0)
    row, col = np.mgrid[:PART_PX, :PART_PX]
    waves = [np.sin(row / s) + np.cos(col / (s + 7)) for s in (31, 53, 97)]
    values = np.stack([1500 + 400 * wave + rng.normal(0, 60, wave.shape) for wave in waves]).astype("uint16")
    size = {"width": PART_PX, "height": PART_PX, "count": 3, "dtype": "uint16", "photometric": "minisblack"}
    layout = {"tiled": True, "blockxsize": 512, "blockysize": 512, "compress": "deflate", "predictor": 2}
    place = {"crs": "EPSG:32633", "transform": Affine(0.5, 0, 500_000, 0, -0.5, 5_000_000)}
    with rasterio.open(path, "w", driver="GTiff", **size, **layout, **place) as file:
        file.write(values)
        file.build_overviews(list(OVERVIEWS), Resampling.average)


def repeat(part: Path, path: Path, overviews: bool) -> None:
    """The VRT: GDAL's own tools write the same."""
    starts = range(0, SIDE_PX, PART_PX)
    bands = "".join(
        f'<VRTRasterBand dataType="UInt16" band="{band}">'
        + "".join(_source(part, band, row, col) for row in starts for col in starts)
        + "</VRTRasterBand>"
        for band in (1, 2, 3)
    )
    with rasterio.open(part) as file:
        crs = file.crs.to_wkt().replace('"', "&quot;")
    reduced = f"<OverviewList>{' '.join(map(str, OVERVIEWS))}</OverviewList>" if overviews else ""
    path.write_text(
        f'<VRTDataset rasterXSize="{SIDE_PX}" rasterYSize="{SIDE_PX}"><SRS>{crs}</SRS>'
        f"<GeoTransform>500000, 0.5, 0, 5000000, 0, -0.5</GeoTransform>{bands}{reduced}</VRTDataset>"
    )


def _source(part: Path, band: int, row: int, col: int) -> str:
    width, height = min(PART_PX, SIDE_PX - col), min(PART_PX, SIDE_PX - row)
    return (
        f'<SimpleSource><SourceFilename relativeToVRT="1">{part.name}</SourceFilename>'
        f"<SourceBand>{band}</SourceBand>"
        f'<SourceProperties RasterXSize="{PART_PX}" RasterYSize="{PART_PX}" DataType="UInt16" '
        f'BlockXSize="512" BlockYSize="512"/>'
        f'<SrcRect xOff="0" yOff="0" xSize="{width}" ySize="{height}"/>'
        f'<DstRect xOff="{col}" yOff="{row}" xSize="{width}" ySize="{height}"/></SimpleSource>'
    )


class Drive:
    """Pans, zooms in and out and pans fast, at sixty steps a second, keeping the times."""

    def __init__(self, view: MapView) -> None:
        self.frames_ms: list[float] = []
        self.delays_ms: list[float] = []
        self._view = view
        self._steps = iter(
            [("pan", (9, 5))] * 250
            + [("zoom", 1 / 1.04)] * 80
            + [("pan", (-6, 4))] * 100
            + [("zoom", 1.04)] * 80
            + [("pan", (60, -45))] * 200
        )
        self._frame, self._beat = QTimer(interval=FRAME_MS), QTimer(interval=BEAT_MS)
        self._frame.timeout.connect(self._step)
        self._beat.timeout.connect(self._count)

    def start(self) -> None:
        self._last = time.perf_counter()
        self._frame.start()
        self._beat.start()

    def _step(self) -> None:
        what, by = next(self._steps, ("end", 0))
        if what == "end":
            self._frame.stop()
            assert self._inside(), "part of the way led past the raster"
            self._beat.stop()
            QApplication.exit()
            return
        start = time.perf_counter()
        if isinstance(by, tuple):
            self._view.pan_px(*by)
        else:
            self._view.zoom(by)
        self._view.viewport().repaint()
        self.frames_ms.append(1000 * (time.perf_counter() - start))

    def _inside(self) -> bool:
        """Whether imagery fills the window."""
        scene = self._view.scene()
        return scene.itemsBoundingRect().contains(self._view.sight)

    def _count(self) -> None:
        now = time.perf_counter()
        self.delays_ms.append(max(1000 * (now - self._last) - BEAT_MS, 0))
        self._last = now


def measure(path: Path, name: str) -> str:
    """One row of the table."""
    view = MapView()
    view.resize(*SIZE)
    view.show()
    start = time.perf_counter()
    layer = ImageLayer(path)
    view.add(layer)
    first_s = _until_seen(view, start)
    assert layer.needs_overviews == (name == "without"), layer.problem
    view.look_at(view.center, 0.5)
    drive = Drive(view)
    drive.start()
    QApplication.exec()
    view.stop()
    view.close()
    frames, delays = np.array(drive.frames_ms), np.array(drive.delays_ms)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = [np.median(frames), np.percentile(frames, 99), frames.max()]
    figures += [np.percentile(delays, 99.9), delays.max()]
    told = " | ".join(f"{figure:.1f} ms" for figure in figures)
    return f"| {name} | {len(frames)} | {told} | {first_s:.1f} s | {peak_mb:.0f} MB |"


def _until_seen(view: MapView, start: float) -> float:
    while view.busy:
        QApplication.processEvents()
        time.sleep(0.002)
    return time.perf_counter() - start


def main() -> None:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QApplication([])
    print(HEAD)
    print("|" + " --- |" * (HEAD.count("|") - 1))
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder) / "part.tif"
        draw(part)
        for name, overviews in (("with overviews", True), ("without", False)):
            path = Path(folder) / f"{name.split()[-1]}.vrt"
            repeat(part, path, overviews)
            print(measure(path, name), flush=True)
    del app


if __name__ == "__main__":
    main()
