"""Maps against what a whole-image pass gives, at every gsd, tile order, area and interruption."""

import math
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import rasterio
import torch
from affine import Affine
from maps import CLASSES, Net, predictor_for, scene_of
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from torch import Tensor
from worlds import UTM, noise, north_up, write_raster

from core.errors import BadInput, RunFailed
from core.mapping import predict as predict_module
from core.mapping.blend import Plane, RowBand
from core.mapping.predict import Predictor, estimate, predict_scene
from core.mapping.tiling import Taps, Tiling
from geo_io.blocks import CACHE, Blocks
from geo_io.grid import Box
from geo_io.scene import Scene


def run(
    predictor: Predictor, scene: Scene, folder: Path, area: Any = None, stem: str = "m"
) -> NDArray[np.uint8]:
    """(2, h, w) class and confidence, as rasterio reads them back."""
    for _ in predict_scene(predictor, scene, area, folder, stem, {"run": "test"}):
        pass
    return read_map(folder, stem)


def read_map(folder: Path, stem: str = "m") -> NDArray[np.uint8]:
    both = []
    for kind in ("class", "confidence"):
        with rasterio.open(folder / f"{stem}.{kind}.tif") as dataset:
            both.append(dataset.read(1))
    return np.stack(both)


def oracle(predictor: Predictor, scene: Scene) -> NDArray[np.uint8]:
    """(2, h, w) by one pass over the whole image, interpolated by scipy at the centres of native pixels."""
    working = scene.grid.at_gsd(predictor.gsd_m)
    patch = scene.read(working.box, predictor.gsd_m)
    probabilities = predictor.logits(
        torch.from_numpy(patch.values.astype(np.float32))[None], torch.from_numpy(patch.valid)[None]
    ).softmax(1)[0]
    cols, rows = np.meshgrid(np.arange(scene.grid.width) + 0.5, np.arange(scene.grid.height) + 0.5)
    x, y = ~working.transform @ (scene.grid.transform @ (cols, rows))
    native = np.stack(
        [map_coordinates(p, [y - 0.5, x - 0.5], order=1, mode="nearest") for p in probabilities.numpy()]
    )
    both = np.stack([native.argmax(0), (native.max(0) * 254).round()]).astype(np.uint8)
    both[:, ~scene.read(scene.grid.box).valid] = 255
    return both


def assert_same_map(got: NDArray[np.uint8], expected: NDArray[np.uint8]) -> None:
    """Equal but for rounding: confidences by one step, classes where two are all but equally probable."""
    assert got.shape == expected.shape
    np.testing.assert_array_equal(got == 255, expected == 255)
    assert np.abs(got[1].astype(int) - expected[1]).max() <= 1
    assert (got[0] != expected[0]).mean() < 1e-4


SIZES = [(1, 1), (5, 40), (64, 64), (65, 64), (129, 257)]


@pytest.mark.parametrize("mode", ["blend", "crop"])
@pytest.mark.parametrize("size", SIZES)
def test_tiles_make_the_whole(tmp_path: Path, size: tuple[int, int], mode: str) -> None:
    with scene_of(tmp_path / "i.tif", *size) as scene:
        predictor = predictor_for(scene, mode=mode)
        assert_same_map(run(predictor, scene, tmp_path), oracle(predictor, scene))


@pytest.mark.parametrize("mode", ["blend", "crop"])
def test_a_net_that_looks_around_needs_the_overlap(tmp_path: Path, mode: str) -> None:
    with scene_of(tmp_path / "i.tif", 150, 170) as scene:
        predictor = predictor_for(scene, side=3, mode=mode)
        got, expected = run(predictor, scene, tmp_path), oracle(predictor, scene)
        if mode == "crop":
            assert_same_map(got, expected)
        else:  # the outermost pixel of a tile saw padding and has the smallest weight
            assert (got[0] != expected[0]).mean() < 0.02
        without = predictor_for(scene, side=3, mode=mode, overlap_px=0)
        assert (run(without, scene, tmp_path, stem="n")[0] != expected[0]).mean() > 0.005


def test_where_tiles_overlap_each_has_its_weight() -> None:
    """T-RS-5: four tiles of 64 px that overlap by 16, each of them sure of a class of its own."""
    tiling, taps = Tiling(112, 64, 16), Taps(112, 112, 1.0)
    band = RowBand(Plane(tiling, tiling, taps, taps, 1, 1), (0, 112), 4, "blend", torch.device("cpu"), True)
    done = []
    for row, (low, high) in enumerate([(0, 48), (48, 112)]):
        band.move_to(row)
        for col in range(2):
            band.add(row, col, 40 * torch.eye(4)[2 * row + col].view(4, 1, 1).expand(4, 64, 64))
        done.append(band.finish(low, high))
    classes, confidence, *shares = np.concatenate([each.numpy() for each in done], axis=1).astype(int)
    falling = np.cos((np.arange(16) + 0.5) / 16 * np.pi / 2) ** 2
    first = np.concatenate([np.ones(48), falling, np.zeros(48)])
    expected = [y[:, None] * x for y in (first, 1 - first) for x in (first, 1 - first)]
    assert np.abs(shares - 254 * np.array(expected)).max() <= 0.51
    assert np.array_equal(confidence, np.max(shares, 0))
    assert np.array_equal(classes, np.argmax(expected, 0))


class Leaning(Net):
    """What it says of a pixel leans towards the mean of the pixel's tile."""

    def forward(self, image: Tensor) -> SimpleNamespace:
        return super().forward(image + image.mean((2, 3), keepdim=True))


def test_the_order_of_tiles_changes_nothing_where_each_says_something_else(tmp_path: Path) -> None:
    """T-RS-5: of a mirrored image the map is mirrored, although its tiles come the other way round."""
    brighter = np.add.outer(np.arange(112), np.arange(160)) // 2
    values = np.stack([brighter, brighter[::-1]]) + noise(2, 112, 160) // 2
    maps = []
    for stem, image in (("straight", values), ("mirrored", values[:, ::-1, ::-1])):
        with Scene.open(write_raster(tmp_path / f"{stem}.tif", image.astype(np.uint16))) as scene:
            predictor = predictor_for(scene)
            predictor.segmentor = Leaning(2, 1)
            maps.append(run(predictor, scene, tmp_path, stem=stem))
    assert len(np.unique(maps[0][0])) == CLASSES
    assert_same_map(maps[1][:, ::-1, ::-1], maps[0])


@pytest.mark.parametrize("overlap", [0, 1, 17, 40, 63])
def test_any_overlap(tmp_path: Path, overlap: int) -> None:
    with scene_of(tmp_path / "i.tif", 100, 131) as scene:
        predictor = predictor_for(scene, overlap_px=overlap)
        assert_same_map(run(predictor, scene, tmp_path), oracle(predictor, scene))


def test_batch_size_changes_nothing(tmp_path: Path) -> None:
    with scene_of(tmp_path / "i.tif", 100, 400) as scene:
        maps = [run(predictor_for(scene, batch=b), scene, tmp_path, stem=str(b)) for b in (1, 2, 8)]
        for other in maps[1:]:
            assert_same_map(other, maps[0])


def test_every_pass_has_the_same_shape(tmp_path: Path) -> None:
    with scene_of(tmp_path / "i.tif", 100, 400) as scene:
        predictor = predictor_for(scene, batch=3)
        run(predictor, scene, tmp_path)
        assert len(set(predictor.segmentor.batches)) == 1
        assert len(predictor.segmentor.batches) == 2 * 3  # 2 rows of 8 tiles, in 3 passes of 3


@pytest.mark.parametrize(
    ("crs", "transform"),
    [
        (UTM, Affine(0.9, 0.3, 500_000, 0.3, -0.9, 5_000_000)),
        ("EPSG:4326", Affine(1e-5, 0, 13.1, 0, -1e-5, 52.2)),
        ("+proj=tmerc +lat_0=1 +lon_0=7.3 +k=0.9998 +x_0=12 +ellps=bessel +units=m", north_up(1.0)),
        ("EPSG:3857", north_up(1.19, 1_669_792, 8_399_738)),
        (None, north_up(1.0)),
    ],
    ids=["rotated", "geographic", "no EPSG code", "Web Mercator", "no CRS"],
)
def test_maps_lie_where_the_image_lies(tmp_path: Path, crs: Any, transform: Affine) -> None:
    with scene_of(tmp_path / "i.tif", 90, 70, crs=crs, transform=transform) as scene:
        predictor = predictor_for(scene)
        assert_same_map(run(predictor, scene, tmp_path), oracle(predictor, scene))
        with Scene.open(tmp_path / "m.class.tif") as written:
            assert written.grid == scene.grid


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_a_map_may_have_the_networks_pixels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, factor: float
) -> None:
    """T-BDL-4: on the grid that training crops are cut from, in one column strip and in several."""
    with scene_of(tmp_path / "i.tif", 151, 203) as scene:
        predictor = predictor_for(scene, gsd_m=factor)
        predictor.native = False
        grid = scene.grid.at_gsd(factor)
        patch = scene.read(grid.box, factor)
        values = torch.from_numpy(patch.values.astype(np.float32))[None]
        expected = predictor.logits(values, torch.from_numpy(patch.valid)[None]).softmax(1)[0].max(0)
        both = np.stack([expected.indices.numpy(), (expected.values.numpy() * 254).round()]).astype(np.uint8)
        both[:, ~patch.valid] = 255
        assert_same_map(run(predictor, scene, tmp_path), both)
        with Scene.open(tmp_path / "m.class.tif") as written:
            assert written.grid == grid
        monkeypatch.setattr(predict_module, "BAND_BYTES", 4 * 3 * 65 * 90)
        assert_same_map(run(predictor, scene, tmp_path, stem="strips"), both)


@pytest.mark.parametrize("mode", ["blend", "crop"])
@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_another_gsd(tmp_path: Path, factor: float, mode: str) -> None:
    """Working pixels half and twice as large: the map keeps the image's grid and nodata exactly."""
    with scene_of(tmp_path / "i.tif", 151, 203) as scene:
        predictor = predictor_for(scene, gsd_m=factor, mode=mode)
        got = run(predictor, scene, tmp_path)
        assert_same_map(got, oracle(predictor, scene))
        np.testing.assert_array_equal(got[0] == 255, ~scene.read(scene.grid.box).valid)


def test_an_odd_gsd_gives_the_same_in_bands_as_at_once(tmp_path: Path) -> None:
    with scene_of(tmp_path / "i.tif", 300, 90) as scene:
        small = run(predictor_for(scene, gsd_m=1.7), scene, tmp_path)
        at_once = run(predictor_for(scene, gsd_m=1.7, tile_px=256), scene, tmp_path, stem="n")
        assert_same_map(small, at_once)


class Square:
    """An area of interest as `Area` gives it: pixels whose centre lies in a box of the image's grid."""

    def __init__(self, path: Path, box: Box, scene: Scene) -> None:
        path.write_text(str(box))
        self.path, self._box, self._grid = path, box, scene.grid

    def box(self, _grid: object) -> Box:
        return self._box

    def read(self, grid: Any) -> NDArray[np.bool_]:
        col, row = (round(v) for v in ~self._grid.transform @ (grid.transform.c, grid.transform.f))
        cols = np.arange(col, col + grid.width)
        rows = np.arange(row, row + grid.height)[:, None]
        box = self._box
        return (cols >= box.col) & (cols < box.stop_col) & (rows >= box.row) & (rows < box.stop_row)


@pytest.mark.parametrize("gsd_m", [1.0, 0.7, 2.0])
def test_crop_mode_does_not_see_the_area(tmp_path: Path, gsd_m: float) -> None:
    with scene_of(tmp_path / "i.tif", 260, 300) as scene:
        box = Box(180, 90, 120, 101)
        area = Square(tmp_path / "area", box, scene)
        whole = run(predictor_for(scene, side=3, mode="crop", gsd_m=gsd_m), scene, tmp_path)
        predictor = predictor_for(scene, side=3, mode="crop", gsd_m=gsd_m)
        part = run(predictor, scene, tmp_path, area, "part")
        inside = slice(box.row, box.stop_row), slice(box.col, box.stop_col)
        np.testing.assert_array_equal(part[:, *inside], whole[:, *inside])
        assert (part[:, *inside] == 255).any(), "the image's nodata lies in the area"
        part[:, *inside] = 255
        assert (part == 255).all()


def test_what_nobody_wants_is_not_forwarded(tmp_path: Path) -> None:
    values = noise(1, 200, 200)
    values[:, :, :100] = 0
    with Scene.open(write_raster(tmp_path / "i.tif", values, nodata=0)) as scene:
        predictor = predictor_for(scene, tile_px=64, overlap_px=0, batch=1)
        run(predictor, scene, tmp_path)
        assert len(predictor.segmentor.batches) == 4 * 3  # of 4 x 4 tiles, the first column is nodata
        area = Square(tmp_path / "area", Box(130, 130, 3, 3), scene)
        predictor.segmentor.batches.clear()
        run(predictor, scene, tmp_path, area, "part")
        assert len(predictor.segmentor.batches) == 1


def test_an_area_elsewhere_is_bad_input(tmp_path: Path) -> None:
    with scene_of(tmp_path / "i.tif", 20, 20) as scene:
        area = Square(tmp_path / "area", Box(30, 5, 5, 5), scene)
        with pytest.raises(BadInput, match="does not meet the image"):
            run(predictor_for(scene), scene, tmp_path, area)


@pytest.mark.parametrize("mode", ["blend", "crop"])
@pytest.mark.parametrize("gsd_m", [1.0, 0.8])
def test_column_strips_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str, gsd_m: float
) -> None:
    with scene_of(tmp_path / "i.tif", 150, 330) as scene:
        whole = run(predictor_for(scene, side=3, mode=mode, gsd_m=gsd_m), scene, tmp_path)
        monkeypatch.setattr(predict_module, "BAND_BYTES", 4 * CLASSES * 65 * 90)
        stripped = run(predictor_for(scene, side=3, mode=mode, gsd_m=gsd_m), scene, tmp_path, stem="n")
        np.testing.assert_array_equal(stripped, whole)


def files(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if ".tif" in p.name or "spool" in p.name}


@pytest.mark.parametrize("mode", ["blend", "crop"])
@pytest.mark.parametrize("gsd_m", [1.0, 1.6])
@pytest.mark.parametrize("overlap", [16, 40])
def test_closing_and_going_on_gives_the_same_bytes(
    tmp_path: Path, mode: str, gsd_m: float, overlap: int
) -> None:
    with scene_of(tmp_path / "i.tif", 400, 150) as scene:

        def predictor() -> Predictor:
            return predictor_for(scene, side=3, mode=mode, gsd_m=gsd_m, overlap_px=overlap)

        run(predictor(), scene, tmp_path / "straight")
        tags = {"run": "test"}
        for bands in (1, 2):
            unfinished = predict_scene(predictor(), scene, None, tmp_path / "broken", "m", tags)
            for _ in range(bands):
                next(unfinished)
            unfinished.close()
        assert set(files(tmp_path / "broken")) == {"m.spool", "m.spool.index"}
        last = predictor()
        run(last, scene, tmp_path / "broken")
        assert files(tmp_path / "broken") == files(tmp_path / "straight")
        fresh = predictor()
        run(fresh, scene, tmp_path / "again")
        assert len(last.segmentor.batches) < len(fresh.segmentor.batches)


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    with scene_of(tmp_path / "i.tif", 130, 90) as scene:
        run(predictor_for(scene), scene, tmp_path)
        again = predictor_for(scene)
        events = list(predict_scene(again, scene, None, tmp_path, "m", {"run": "test"}))
        assert [(e.done, e.total) for e in events] == [(130, 130)]
        assert again.segmentor.batches == []
        with torch.no_grad():
            again.segmentor.conv.bias += 1
        assert len(list(predict_scene(again, scene, None, tmp_path, "m", {"run": "test"}))) > 1


@pytest.mark.parametrize("what", ["options", "gsd", "tags", "image", "bands", "area"])
def test_whatever_decides_the_map_makes_a_new_one(tmp_path: Path, what: str) -> None:
    tags = {"run": "test"}
    with scene_of(tmp_path / "i.tif", 70, 70) as scene:
        run(predictor_for(scene), scene, tmp_path)
    if what == "image":
        scene_of(tmp_path / "i.tif", 70, 70, transform=north_up(1.0, west=3.0)).close()
    with Scene.open(tmp_path / "i.tif", bands=[2, 1] if what == "bands" else None) as scene:
        area = Square(tmp_path / "area", Box(0, 0, 70, 70), scene) if what == "area" else None
        tags |= {"run": "other"} if what == "tags" else {}
        options = {"overlap_px": 17} if what == "options" else {}
        predictor = predictor_for(scene, gsd_m=1.1 if what == "gsd" else 1.0, **options)
        assert len(list(predict_scene(predictor, scene, area, tmp_path, "m", tags))) > 1


@pytest.mark.parametrize("what", ["side-car", "pixels between those that are looked at"])
def test_a_map_older_than_its_image_is_made_anew(tmp_path: Path, what: str) -> None:
    path = tmp_path / "i.tif"
    with scene_of(path, 70, 70) as scene:
        run(predictor_for(scene), scene, tmp_path)
    made = [tmp_path / "m.class.tif", tmp_path / "m.confidence.tif"]
    if what == "side-car":
        beside = path.with_name("i.tif.aux.xml")
        beside.write_text("<PAMDataset><Metadata><MDI key='a'>b</MDI></Metadata></PAMDataset>")
        os.utime(beside, ns=(0, 0))
    else:
        for map_ in made:
            os.utime(map_, ns=(0, path.stat().st_mtime_ns - 1))
    with Scene.open(path) as scene:
        assert len(list(predict_scene(predictor_for(scene), scene, None, tmp_path, "m", {"run": "test"}))) > 1


def test_of_equals_the_first_wins(tmp_path: Path) -> None:
    with scene_of(tmp_path / "i.tif", 5, 5) as scene:
        predictor = predictor_for(scene)
        with torch.no_grad():
            predictor.segmentor.conv.weight.zero_()
            predictor.segmentor.conv.bias.copy_(torch.tensor([-1.0, 2.0, 2.0]))
        assert (run(predictor, scene, tmp_path)[0] == 1).all()


def test_progress_counts_rows(tmp_path: Path) -> None:
    with scene_of(tmp_path / "i.tif", 200, 90) as scene:
        events = list(predict_scene(predictor_for(scene), scene, None, tmp_path, "m", {}))
        done = [e.done for e in events]
        assert done == sorted(done)
        assert {*done} <= {48, 96, 144, 199, 200}, "rows are written by a thread of their own"
        assert done[-1] == 200
        assert {(e.what, e.total) for e in events} == {("map m", 200)}


def test_maps_say_what_they_are(tmp_path: Path) -> None:
    with scene_of(tmp_path / "i.tif", 20, 20) as scene:
        run(predictor_for(scene), scene, tmp_path)
    with rasterio.open(tmp_path / "m.class.tif") as dataset:
        assert dataset.colormap(1)[2] == (255, 0, 0, 255)
        assert dataset.tags(1)["class_1"] == "class 1"
        assert dataset.tags(ns="ISTHMUS")["run"] == "test"
    with rasterio.open(tmp_path / "m.confidence.tif") as dataset:
        assert dataset.scales == (1 / 254,)
        assert dataset.nodata == 255


def test_without_confidence(tmp_path: Path) -> None:
    with scene_of(tmp_path / "i.tif", 20, 20) as scene:
        list(predict_scene(predictor_for(scene, confidence=False), scene, None, tmp_path, "m", {}))
    assert {p.name for p in tmp_path.iterdir()} == {"i.tif", "m.class.tif"}


@pytest.mark.parametrize("confidence", [True, False])
@pytest.mark.parametrize("gsd", [1.0, 2.0])
def test_probabilities_of_every_class(tmp_path: Path, gsd: float, confidence: bool) -> None:
    """A band a class, in a prediction that was stopped and went on; no other pixel of the map changes."""
    with scene_of(tmp_path / "i.tif", 100, 131) as scene:
        plain = run(predictor_for(scene, gsd_m=gsd), scene, tmp_path, stem="plain")
        predictor = predictor_for(scene, gsd_m=gsd, probabilities=True, confidence=confidence)
        making = predict_scene(predictor, scene, None, tmp_path, "m", {})
        next(making)
        making.close()
        list(predict_scene(predictor, scene, None, tmp_path, "m", {}))
        with rasterio.open(tmp_path / "m.probabilities.tif") as dataset:
            shares = dataset.read()
            assert dataset.descriptions == tuple(predictor.legend.names)
        with rasterio.open(tmp_path / "m.class.tif") as dataset:
            np.testing.assert_array_equal(dataset.read(1), plain[0])
        assert (tmp_path / "m.confidence.tif").exists() == confidence
        seen = plain[0] != 255
        np.testing.assert_array_equal(shares == 255, np.broadcast_to(~seen, shares.shape))
        np.testing.assert_array_equal(shares.max(0)[seen], plain[1][seen])
        chosen = np.take_along_axis(shares, np.where(seen, plain[0], 0)[None], 0)[0]
        np.testing.assert_array_equal(chosen, shares.max(0))
        assert np.abs(shares.sum(0, dtype=int)[seen] - 254).max() <= CLASSES / 2
        assert len({share.tobytes() for share in shares}) == CLASSES


@pytest.mark.parametrize("mode", ["blend", "crop"])
def test_with_all_views_the_map_turns_with_the_image(tmp_path: Path, mode: str) -> None:
    """Of a net that sees differently what is turned; one tile holds all, so that tiles turn too."""
    values = noise(2, 64, 64)
    straight = Scene.open(write_raster(tmp_path / "a.tif", values))
    turned = Scene.open(write_raster(tmp_path / "b.tif", np.rot90(values, axes=(1, 2)).copy()))
    differences = []
    for views in (1, 8):
        options = {"mode": mode, "tile_px": 64, "test_time_views": views}
        predictor = predictor_for(straight, 3, **options)
        ours = run(predictor, straight, tmp_path / f"a{views}")
        theirs = run(predictor_for(turned, 3, **options), turned, tmp_path / f"b{views}")
        differences.append((np.rot90(ours, axes=(1, 2)) != theirs)[0].mean())
    assert differences[0] > 0.1
    assert differences[1] < 1e-3


@pytest.mark.parametrize("views", [2, 4, 8])
def test_views_are_averaged_as_probabilities(tmp_path: Path, views: int) -> None:
    scene = scene_of(tmp_path / "s.tif", 64, 64)
    predictor = predictor_for(scene, 3, test_time_views=views)
    image = torch.from_numpy(noise(2, 64, 64, dtype="uint16").astype(np.float32))[None]
    valid = torch.ones(1, 64, 64, dtype=torch.bool)
    alone = predictor_for(scene, 3)
    expected = torch.zeros(1, CLASSES, 64, 64)
    turns = [(0, False), (0, True), (2, False), (2, True), (1, False), (1, True), (3, False), (3, True)]
    for quarters, mirrored in turns[:views]:
        seen = torch.rot90(image, quarters, (2, 3))
        seen = seen.flip(3) if mirrored else seen
        p = alone.logits(seen, valid).softmax(1)
        expected += torch.rot90(p.flip(3) if mirrored else p, -quarters, (2, 3)) / views
    torch.testing.assert_close(predictor.logits(image, valid).softmax(1), expected)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64", "uint32"])
def test_pixel_types(tmp_path: Path, dtype: str) -> None:
    with scene_of(tmp_path / "i.tif", 70, 70, dtype=dtype) as scene:
        predictor = predictor_for(scene)
        assert_same_map(run(predictor, scene, tmp_path), oracle(predictor, scene))


def test_training_modes_are_as_before(tmp_path: Path) -> None:
    with scene_of(tmp_path / "i.tif", 70, 70) as scene:
        predictor = predictor_for(scene)
        predictor.segmentor.train()
        predictor.segmentor.conv.eval()
        for _ in predict_scene(predictor, scene, None, tmp_path, "m", {}):
            assert predictor.segmentor.training
            assert not predictor.segmentor.conv.training
            assert not torch.is_inference_mode_enabled()


def test_a_diverged_network_makes_no_map(tmp_path: Path) -> None:
    with scene_of(tmp_path / "i.tif", 70, 70) as scene:
        predictor = predictor_for(scene)
        with torch.no_grad():
            predictor.segmentor.conv.weight.fill_(math.nan)
        with pytest.raises(RunFailed, match="no numbers"):
            run(predictor, scene, tmp_path)
    assert not list(tmp_path.glob("m.*.tif"))


def test_a_damaged_image_names_itself_and_keeps_what_is_done(tmp_path: Path) -> None:
    tiles: dict[str, Any] = {"tiled": True, "blockxsize": 64, "blockysize": 64, "compress": "deflate"}
    path = tmp_path / "i.tif"
    scene_of(path, 1500, 64, **tiles).close()
    damaged = bytearray(path.read_bytes())
    damaged[-20_000:-10_000] = bytes(10_000)
    path.write_bytes(damaged)
    with Scene.open(path) as scene, pytest.raises(BadInput, match=r"i\.tif, window"):
        run(predictor_for(scene), scene, tmp_path)
    assert (tmp_path / "m.spool.index").stat().st_size > 40


def test_no_space_is_said_before_anything_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=2**19))
    with scene_of(tmp_path / "i.tif", 300, 300) as scene:
        predictor = predictor_for(scene)
        with pytest.raises(RunFailed, match=r"0 MB free, and 1 MB are needed"):
            run(predictor, scene, tmp_path)
        assert predictor.segmentor.batches == []


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "maps").write_text("")
    with scene_of(tmp_path / "i.tif", 20, 20) as scene, pytest.raises(BadInput, match="cannot be written"):
        run(predictor_for(scene), scene, tmp_path / "maps")


def test_out_of_memory_says_what_to_lower(tmp_path: Path) -> None:
    def burst(_: Tensor) -> None:
        raise MemoryError

    with scene_of(tmp_path / "i.tif", 20, 20) as scene:
        predictor = predictor_for(scene)
        predictor.segmentor.forward = burst
        with pytest.raises(RunFailed, match=r"predict\.tile_px"):
            run(predictor, scene, tmp_path)


def test_where_memory_is_short_fewer_tiles_are_taken_at_once(tmp_path: Path) -> None:
    with scene_of(tmp_path / "i.tif", 100, 150) as scene:
        wanted = run(predictor_for(scene), scene, tmp_path)
        predictor, taken = predictor_for(scene), []
        forward = predictor.segmentor.forward

        def tight(image: Tensor) -> Any:
            taken.append(len(image))
            if len(image) > 1:
                raise torch.OutOfMemoryError
            return forward(image)

        predictor.segmentor.forward = tight
        np.testing.assert_array_equal(run(predictor, scene, tmp_path, stem="again"), wanted)
    assert max(taken) > 1
    assert taken.count(max(taken)) == 1, "what was too much is not tried again"


def test_the_overlap_must_leave_something(tmp_path: Path) -> None:
    with scene_of(tmp_path / "i.tif", 20, 20) as scene, pytest.raises(BadInput, match="overlap_px"):
        predictor_for(scene, overlap_px=64)


@pytest.mark.parametrize("gsd_m", [1.0, 0.8, 2.0])
def test_each_block_is_decoded_once_and_the_cache_keeps_to_the_estimate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gsd_m: float
) -> None:
    decoded: list[object] = []
    decode = Blocks.decode
    monkeypatch.setattr(Blocks, "decode", lambda self, *args: decoded.append(args) or decode(self, *args))
    tiles: dict[str, Any] = {"tiled": True, "blockxsize": 512, "blockysize": 512}
    with scene_of(tmp_path / "i.tif", 2100, 700, **tiles) as scene:
        predictor, held = predictor_for(scene, gsd_m=gsd_m, tile_px=256), [0]
        with CACHE.capped(0):  # what other work left there is not the map's
            pass
        for _ in predict_scene(predictor, scene, None, tmp_path, "m", {}, threads=1):
            held.append(CACHE.held_bytes)
        assert len(decoded) == 5 * 2
        allowed = predict_module._cache_bytes(scene, predictor.plane(scene.grid), 700, 1)
        assert max(held[:-1]) <= allowed
        assert (allowed == 0) == (gsd_m == 1.0)
        scene.read(Box(0, 0, 9, 9))
        assert CACHE.held_bytes > 0, "the cap is lifted"


@pytest.mark.parametrize("gsd_m", [1.0, 0.8, 2.0])
def test_each_strip_is_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gsd_m: float) -> None:
    monkeypatch.setattr("geo_io.blocks._RUN_BYTES", 50 * 1300 * 3)
    rows: list[int] = []
    decode = Blocks.decode
    monkeypatch.setattr(
        Blocks, "decode", lambda self, window: rows.append(window.height) or decode(self, window)
    )
    with scene_of(tmp_path / "i.tif", 1100, 1300) as scene:
        predictor, held = predictor_for(scene, gsd_m=gsd_m, tile_px=256), [0]
        with CACHE.capped(0):
            pass
        for _ in predict_scene(predictor, scene, None, tmp_path, "m", {}, threads=1):
            held.append(CACHE.held_bytes)
        assert scene.block[1] == 1300
        assert sum(rows) == 1100
        assert max(rows) <= 50
        assert max(held[:-1]) <= predict_module._cache_bytes(scene, predictor.plane(scene.grid), 1300, 1)


def test_the_estimate_does_not_grow_with_height(tmp_path: Path) -> None:
    def of(height: int, width: int) -> Any:
        with scene_of(tmp_path / f"{height}x{width}.tif", height, width) as scene:
            return estimate(predictor_for(scene), scene)

    low, high, wide = of(8000, 100), of(16000, 100), of(8000, 400)
    assert low.memory_mb == high.memory_mb < wide.memory_mb
    assert high.disk_mb > 1.7 * low.disk_mb
    assert (low.tiles, wide.tiles) == (167 * 2, 167 * 8)
