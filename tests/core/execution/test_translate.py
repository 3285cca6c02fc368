"""T-TRANS: the source's scenes in the target's look, on disk."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
from affine import Affine
from engines import NARROW, draw, job_for, run_for, work
from numpy.typing import NDArray
from torch import nn
from typer.testing import CliRunner
from worlds import write_raster

from core.cli import app
from core.errors import BadInput
from core.events import Pictured, Progressed
from core.execution import translate as translating
from core.execution.translate import Painter, Tiles, translate_scenes
from core.files import write_json
from core.imagery.places import Place
from core.imagery.radiometry import Standardise
from core.judging import signals
from core.networks.generator import Generator
from core.parts.stretch import Stretch
from core.parts.translator import Translator, load_translator
from core.prepare import seen
from core.runs.run import Run
from geo_io.band_stats import measure
from geo_io.grid import Grid
from geo_io.scene import Scene


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run whose translator has learnt next to nothing, but brings the target's range."""
    folder = tmp_path_factory.mktemp("places")
    draw(folder)
    job = job_for(folder, "cyclegan", {**NARROW, "warm_share": 0.0})
    made = run_for(job, folder / "run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signals, "CROPS", 2)
        work(made)
    return made


def test_a_scene_keeps_its_place_and_its_nodata_and_takes_the_targets_values(
    run: Run, tmp_path: Path
) -> None:
    events = list(translate_scenes(run.folder, tmp_path / "out"))
    (path,) = (tmp_path / "out").iterdir()
    assert [event.path for event in events if isinstance(event, Pictured)] == [str(path)]
    target = seen(run.folder / "cache", "target")
    with rasterio.open(run.job.source.scenes[0].path) as source, rasterio.open(path) as made:
        assert (made.crs, made.transform, made.shape) == (source.crs, source.transform, source.shape)
        assert made.dtypes == ("uint16",) * 4
        assert made.descriptions == ("blue", "green", "red", "nir")
        assert made.colorinterp[2] == rasterio.enums.ColorInterp.red
        valid = source.dataset_mask() > 0
        assert not valid.all()
        assert ((made.dataset_mask() > 0) == valid).all()
        values = made.read()
        for band, low, high in zip(values, target.low, target.high, strict=True):
            assert low - 1 <= band[valid].min()
            assert band[valid].max() <= high + 1
        assert values[:, ~valid].max() == 0
        own = source.read()[:, valid].mean(1)
    middle = (np.array(target.low) + target.high) / 2
    assert (np.abs(values[:, valid].mean(1) - middle) < np.abs(own - middle)).all()


def test_the_sources_labels_are_not_needed(run: Run, tmp_path: Path) -> None:
    labels = run.job.source.scenes[0].labels
    assert labels is not None
    away = labels.path.rename(tmp_path / "away.tif")
    try:
        list(translate_scenes(run.folder, tmp_path / "out"))
    finally:
        away.rename(labels.path)


def test_progress_ends_with_all_tiles(run: Run, tmp_path: Path) -> None:
    told = [e for e in translate_scenes(run.folder, tmp_path) if isinstance(e, Progressed)]
    assert [e.done for e in told] == sorted({e.done for e in told})
    assert told[-1].done == told[-1].total == 25, "5 x 5 tiles of 32 px over 96 px"


def test_panels_do_not_show(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def made(folder: Path) -> NDArray[np.float64]:
        list(translate_scenes(run.folder, folder))
        with rasterio.open(folder / "source.translated.tif") as file:
            return file.read().astype(float)

    whole = made(tmp_path / "whole")
    monkeypatch.setattr(translating, "PANEL_PX", 40)
    assert np.abs(made(tmp_path / "panels") - whole).max() <= 1, "but for rounding"


def test_who_stops_early_finds_nothing_half_made(run: Run, tmp_path: Path) -> None:
    events = translate_scenes(run.folder, tmp_path)
    next(events)
    assert [path.name for path in tmp_path.iterdir()] == ["source.translated.tif.partial"]
    events.close()  # type: ignore[attr-defined]  # a generator
    assert not list(tmp_path.iterdir())


def test_a_scene_of_smaller_pixels_is_shown_at_the_pixel_size_of_the_run(run: Run, tmp_path: Path) -> None:
    shutil.copytree(run.folder, tmp_path / "run")
    write_json(tmp_path / "run" / "cache" / "data.json", {"gsd_m": 2.0})
    list(translate_scenes(tmp_path / "run", tmp_path / "out"))
    with rasterio.open(tmp_path / "out" / "source.translated.tif") as made:
        assert made.res == pytest.approx((2.0, 2.0))
        assert made.shape == (48, 48)
        assert made.read()[:, made.dataset_mask() > 0].min() > 0


def test_a_run_without_a_translator_is_refused_in_one_line(run: Run, tmp_path: Path) -> None:
    draw(tmp_path)
    other = run_for(job_for(tmp_path, "source_only"), tmp_path / "run")
    with pytest.raises(BadInput, match="cyclegan, cycada or bdl"):
        next(translate_scenes(other.folder, tmp_path / "out"))
    said = CliRunner().invoke(app, ["translate", str(other.folder), "--to", str(tmp_path / "out")])
    assert said.exit_code != 0
    assert not (tmp_path / "out").exists()
    shown = CliRunner().invoke(app, ["translate", str(run.folder), "--to", str(tmp_path / "seen")])
    assert shown.exit_code == 0, shown.output


def test_the_translator_on_disk_is_the_one_that_the_run_trained_with(run: Run) -> None:
    translator, made = load_translator(run.phase("adapted") / "translator.safetensors")
    assert (made.width, made.blocks) == (8, 1)
    both = Stretch.of(*(seen(run.folder / "cache", place) for place in ("source", "target")))
    assert made.residual
    assert torch.equal(translator.after.reach, both.reach)


class Left:
    """An area of interest: the left half of 64 columns."""

    def read(self, grid: Grid) -> NDArray[np.bool_]:
        cols = np.arange(grid.width) + round(grid.transform.c)
        return np.tile(cols < 32, (grid.height, 1))


def test_outside_of_the_area_of_interest_is_masked(tmp_path: Path) -> None:
    write_raster(tmp_path / "a.tif", np.full((1, 64, 64), 9, np.uint8), transform=Affine(1, 0, 0, 0, -1, 0))
    scene = Scene.open(tmp_path / "a.tif")
    stats = measure([(scene, None)])
    translator = Translator(Generator(1, 8, 1), Stretch.of(stats), Stretch.of(stats))
    painter = Painter(translator, Standardise(stats), stats, np.dtype("uint8"), 8, 1.0)
    *_, pixels = painter.paint(Place(scene, None, Left(), None), Tiles(scene.grid, 32), scene.grid.box)  # type: ignore[arg-type]
    assert isinstance(pixels, tuple)
    values, valid = pixels
    assert (valid == (np.arange(64) < 32)).all()
    assert (values[0] == np.where(valid, 9, 0)).all()


class Local(nn.Module):
    """Like a generator, whose answer depends on the tile: it takes half of the mean out."""

    def forward(self, image: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:  # noqa: ARG002
        return image - image.mean((2, 3), keepdim=True) / 2


def test_there_is_no_seam_where_tiles_of_different_tone_meet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ramp = np.tile(np.linspace(0, 255, 320), (320, 1)) / 2 + np.linspace(0, 127, 320)[:, None]
    write_raster(tmp_path / "ramp.tif", ramp.astype(np.float32)[None])
    scene = Scene.open(tmp_path / "ramp.tif")
    stats = measure([(scene, None)])
    translator = Translator(Generator(1, 8, 1), Stretch.of(stats), Stretch.of(stats))
    translator.network = Local()  # type: ignore[assignment]
    tiles = Tiles(scene.grid, 64)

    def seam() -> float:
        """How sharply tones bend between columns at the tiles' borders, over the sharpest bend elsewhere."""
        painter = Painter(translator, Standardise(stats), stats, np.dtype("float32"), 8, 1.0)
        *_, pixels = painter.paint(Place(scene, None, None, None), tiles, scene.grid.box)
        assert isinstance(pixels, tuple)
        bends = np.abs(np.diff(pixels[0][0].astype(float), n=2, axis=1))[100, 32:-32]
        near = np.isin(np.arange(len(bends)) % 32, (30, 31))
        return float(bends[near].max() / bends[~near].max())

    assert seam() < 1.05
    monkeypatch.setattr(Tiles, "window", property(lambda self: np.ones((self.side,) * 2, np.float32)))
    assert seam() > 10, "equal weights show every border"
