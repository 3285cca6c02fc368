"""Scoring from files: hand-made maps and labels, counted by hand."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from core.errors import BadInput
from core.job import LabelFile
from core.judging import evaluate as module
from core.judging.evaluate import eroded, evaluate, table
from geo_io.legend import Legend
from geo_io.polygons import write_polygons

LEGEND = Legend.model_validate(
    {"classes": [{"name": n, "color": c} for n, c in (("low", "#112233"), ("high", "#445566"))]}
)
CRS = "EPSG:32632"


def write(
    path: Path, values: np.ndarray, size_m: float = 10, left: float = 500_000, nodata: int | None = 255
) -> Path:
    transform = Affine(size_m, 0, left, 0, -size_m, 5_500_000)
    height, width = values.shape
    with rasterio.open(
        path, "w", driver="GTiff", width=width, height=height, count=1,
        dtype=values.dtype, crs=CRS, transform=transform, nodata=nodata,
    ) as file:  # fmt: skip
        file.write(values, 1)
    return path


@pytest.fixture
def truth(tmp_path: Path) -> LabelFile:
    values = np.zeros((6, 8), np.uint8)
    values[:, 4:] = 1
    values[0, 0] = 255
    return LabelFile(path=write(tmp_path / "truth.tif", values), use="check")


def test_counts_are_those_of_the_pixels(tmp_path: Path, truth: LabelFile) -> None:
    seen = np.zeros((6, 8), np.uint8)
    seen[:, 5:] = 1
    seen[5, :] = 255
    scores = evaluate(write(tmp_path / "map.tif", seen), truth, LEGEND)
    assert scores["confusion"] == [[19, 0], [5, 15]]
    assert scores["unpredicted"] == 8
    assert scores["classes"]["high"]["iou"] == 0.75


def test_windows_of_any_size_count_the_same(
    tmp_path: Path, truth: LabelFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = np.random.default_rng(0).integers(0, 2, (6, 8)).astype(np.uint8)
    path = write(tmp_path / "map.tif", seen)
    whole = evaluate(path, truth, LEGEND)
    sides = list(module.windows(module.Box(0, 0, 8, 6), 5))
    assert sum(box.width * box.height for box in sides) == 48
    monkeypatch.setattr(module, "WINDOW_PX", 5)
    assert evaluate(path, truth, LEGEND) == whole


def test_the_truth_is_read_on_the_maps_grid(tmp_path: Path, truth: LabelFile) -> None:
    """A map of half the pixel size, shifted by two label pixels: only the shared ground counts."""
    seen = np.ones((12, 8), np.uint8)
    scores = evaluate(write(tmp_path / "map.tif", seen, size_m=5, left=500_020), truth, LEGEND)
    assert scores["confusion"] == [[0, 48], [0, 48]]


def test_vector_truth_and_area(tmp_path: Path) -> None:
    def square(left: float, right: float) -> dict[str, object]:
        x, y = 500_000, 5_500_000
        ring = [[x + left, y], [x + right, y], [x + right, y - 60], [x + left, y - 60], [x + left, y]]
        return {"type": "Polygon", "coordinates": [ring]}

    crs = rasterio.CRS.from_string(CRS).to_wkt()
    labels = tmp_path / "truth.gpkg"
    write_polygons(labels, crs, [(square(0, 40), "low"), (square(40, 80), "high")], "class")
    write_polygons(tmp_path / "area.gpkg", crs, [(square(30, 60), "inside")], "class")
    path = write(tmp_path / "map.tif", np.zeros((6, 8), np.uint8))
    file = LabelFile(path=labels, use="check", attribute="class")
    assert evaluate(path, file, LEGEND)["confusion"] == [[24, 0], [24, 0]]
    assert evaluate(path, file, LEGEND, tmp_path / "area.gpkg")["confusion"] == [[6, 0], [12, 0]]
    x, y = 500_000, 5_500_000
    drawn = f"POLYGON (({x + 30} {y}, {x + 60} {y}, {x + 60} {y - 60}, {x + 30} {y - 60}, {x + 30} {y}))"
    assert evaluate(path, file, LEGEND, area_wkt=drawn)["confusion"] == [[6, 0], [12, 0]]


@pytest.mark.parametrize(
    ("values", "settings", "said"),
    [
        (np.full((6, 8), 2, np.uint8), {}, "holds class id 2"),
        (np.zeros((6, 8), np.uint8), {"left": 900_000}, "shares no pixel with"),
        (np.full((6, 8), 255, np.uint8), {}, "shares no pixel with"),
        (np.full((6, 8), 0.5, np.float32), {"nodata": None}, "one band of whole numbers"),
    ],
)
def test_what_cannot_be_scored_is_refused(
    values: np.ndarray, settings: dict[str, float], said: str, tmp_path: Path, truth: LabelFile
) -> None:
    with pytest.raises(BadInput, match=said):
        evaluate(write(tmp_path / "map.tif", values, **settings), truth, LEGEND)


def test_the_table_shows_percent_and_a_dash_for_nothing(tmp_path: Path, truth: LabelFile) -> None:
    scores = evaluate(write(tmp_path / "map.tif", np.zeros((6, 8), np.uint8)), truth, LEGEND)
    scores["classes"]["high"]["iou"] = None
    lines = table({"before": scores, "after": scores}).splitlines()
    assert lines[0].split() == ["class", "before", "after"]
    assert lines[2].split() == ["low", "48.9", "48.9"]
    assert lines[3].split() == ["high", "-", "-"]
    assert lines[5].split() == ["mean", "IoU", "24.5", "24.5"]


def test_borders_of_the_truth_are_left_out_in_a_disk_but_not_those_of_unlabelled_land() -> None:
    truth = np.zeros((9, 9), np.uint8)
    truth[4, 4] = 1
    truth[:, 0] = 255
    rows, cols = np.mgrid[:9, :9]
    near = (rows - 4) ** 2 + (cols - 4) ** 2 <= 9
    assert np.array_equal(eroded(truth, 3), np.where(near, 255, truth))
    assert np.array_equal(eroded(truth, 0), truth)


@pytest.mark.parametrize("side", [5, 7, 16])
def test_erosion_is_the_same_in_windows_of_any_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, side: int
) -> None:
    draws = np.random.default_rng(0)
    blocks = draws.integers(0, 2, (5, 7)).repeat(7, 0).repeat(7, 1).astype(np.uint8)
    blocks[20:23, 9:30] = 255
    labels = LabelFile(path=write(tmp_path / "truth.tif", blocks), use="check")
    path = write(tmp_path / "map.tif", draws.integers(0, 2, blocks.shape).astype(np.uint8))
    whole = evaluate(path, labels, LEGEND, erode_px=2)
    assert whole["pixels"] == (eroded(blocks, 2) < 255).sum() < (blocks < 255).sum()
    monkeypatch.setattr(module, "WINDOW_PX", side)
    assert evaluate(path, labels, LEGEND, erode_px=2) == whole
