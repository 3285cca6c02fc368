"""Crops: the right ground, the right labels, the same whoever reads them, and none from the held-out part."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from engines import BANDS, LEGEND, bench_for, draw, job_for
from small_job import draw as draw_small
from worlds import north_up, write_raster

from core.ahead import ahead
from core.bench import SOURCE, TARGET, Bench
from core.draws import rng
from core.errors import BadInput
from core.imagery.class_index import ClassIndex, build_index
from core.imagery.data import Domain, stacked
from core.imagery.holdout import choose
from core.imagery.places import open_region
from core.imagery.radiometry import Standardise
from core.job import Region
from core.phases import Phase
from core.prepare import Prepared, prepare, seen_target
from core.variants import plan
from geo_io.grid import Box
from geo_io.legend import Legend


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("places")
    draw(folder)
    return bench_for(job_for(folder), folder / "cache")


def test_a_crop_is_a_pure_function_of_its_key(bench: Bench) -> None:
    a, b, c = (bench.domains[SOURCE].draw(rng(0, "crop", i)) for i in (1, 1, 2))
    assert np.array_equal(a.values, b.values)
    assert np.array_equal(a.label, b.label)
    assert not np.array_equal(a.values, c.values)


def test_crops_of_which_a_class_covers_too_much_are_drawn_anew(bench: Bench) -> None:
    def largest(domain: Domain) -> list[float]:
        drawn = (domain.draw(rng(0, "crop", i)).label for i in range(60))
        counts = (np.bincount(label[label < 255], minlength=3) for label in drawn)
        return [count.max() / count.sum() for count in counts]

    domain = bench.domains[SOURCE]
    choosy = replace(domain, sampling=domain.sampling.model_copy(update={"max_class_share": 0.6}))
    assert np.mean(np.array(largest(domain)) > 0.6) > 0.2
    assert np.mean(np.array(largest(choosy)) > 0.6) < 0.02
    target = bench.domains[TARGET]
    values = [d.draw(rng(0, 1)).values for d in (target, replace(target, sampling=choosy.sampling))]
    assert np.array_equal(*values), "without labels no crop is turned down"


@pytest.mark.parametrize("jittered", [True, False])
def test_the_crops_of_a_step_are_those_drawn_for_it_and_of_them_the_source_alone_is_jittered(
    bench: Bench, jittered: bool
) -> None:
    """T-AUG."""
    working = Bench(bench.job, bench.fabric, bench.segmentor, bench.domains, [Phase("adapt", 3)])
    for step, batches in enumerate(working.steps("adapt", jittered=jittered)):
        for name, batch in zip((SOURCE, TARGET), batches, strict=True):
            domain = bench.domains[name]
            drawn = stacked([domain.draw(rng(bench.job.seed, name, "adapt", step, i)) for i in range(2)])
            plain = Standardise(domain.stats)(drawn.values, drawn.valid)
            assert torch.equal(batch.image, plain) == (name == TARGET or not jittered)
            assert torch.equal(batch.valid, drawn.valid)
            assert torch.equal(batch.label, drawn.label.long())
            assert torch.equal(batch.weight, (drawn.label != 255).float())
    assert step == 2


@pytest.mark.parametrize("threads", [1, 4])
def test_reading_ahead_keeps_order_with_any_number_of_threads(threads: int) -> None:
    assert list(ahead(lambda key: key * key, range(3, 40), threads)) == [k * k for k in range(3, 40)]


def test_reading_ahead_stops_when_dropped() -> None:
    made: list[int] = []
    coming = ahead(lambda key: made.append(key) or key, range(10_000), 2)
    next(coming)
    coming.close()
    assert len(made) < 50


def test_no_label_of_the_held_out_blocks_or_their_buffer_is_trained_on(bench: Bench) -> None:
    domain = bench.domains[SOURCE]
    assert domain.holdout
    grid = domain.places[0].scene.grid
    whole = Box(0, 0, grid.width, grid.height)
    held = domain.holdout.held(0, whole)
    free = domain.holdout.trainable(0, whole)
    assert held.any()
    assert not (held & free).any()
    rows, cols = np.nonzero(held)
    near = np.zeros_like(held)
    reach = domain.holdout.buffer_px
    near[
        max(rows.min() - reach, 0) : rows.max() + reach + 1,
        max(cols.min() - reach, 0) : cols.max() + reach + 1,
    ] = True
    assert not (near & free).any()
    for scale in (1.0, 1.25, 0.8):
        centre = np.array([cols.mean(), rows.mean()])
        crop = domain.crop(0, centre, scale)
        middle = crop.label[12:20, 12:20]
        assert (middle == 255).all(), "the middle of a held-out block is never labelled, at any scale"


def test_held_out_crops_are_labelled_nowhere_else(bench: Bench) -> None:
    crops = bench.domains[SOURCE].held_out_crops(rng(0), 100)
    assert crops
    assert all((crop.label < 255).any() for crop in crops)
    assert not bench.domains[TARGET].held_out_crops(rng(0), 100)


@pytest.mark.parametrize("statistics", ["each", "source"])
def test_the_target_is_standardised_by_its_own_statistics_or_by_the_sources(
    tmp_path: Path, statistics: str
) -> None:
    """Of two places that differ by a factor in brightness; a run maps with what it trained with."""
    draw(tmp_path)
    bench = bench_for(job_for(tmp_path, sampling={"statistics": statistics}), tmp_path / "cache")
    source, target = bench.domains[SOURCE], bench.domains[TARGET]
    alike = target.stats.mean == source.stats.mean and target.stats.std == source.stats.std
    assert alike == (statistics == "source")
    assert target.stats.high != source.stats.high, "each is clipped to its own range"
    assert seen_target(tmp_path / "cache")[0] == target.stats


def test_target_crops_carry_no_label(bench: Bench) -> None:
    for i in range(10):
        assert (bench.domains[TARGET].draw(rng(0, i)).label == 255).all()
    assert bench.domains[TARGET].places[0].labels is None


def test_every_class_lands_on_both_sides_of_the_holdout() -> None:
    counts = np.random.default_rng(0).integers(0, 100, (20, 20, 3))
    counts[..., 2] *= np.random.default_rng(1).random((20, 20)) < 0.1
    holdout = choose([counts], 16, 4, 0.2, 2, seed=0)
    cells = np.zeros((20, 20), bool)
    for box in holdout.boxes[0]:
        cells[box.row // 16 : box.stop_row // 16, box.col // 16 : box.stop_col // 16] = True
    shares = counts[cells].sum(0) / counts.sum((0, 1))
    assert ((shares > 0.1) & (shares < 0.35)).all()


@pytest.mark.parametrize("cells", [2, 3, 4, 5, 8, 9])
def test_a_source_of_few_crops_is_not_held_out_whole(cells: int) -> None:
    counts = np.full((cells, cells, 2), 128)
    held = np.zeros((cells, cells), bool)
    for box in choose([counts], 16, 4, 0.2, 4, seed=0).boxes[0]:
        held[box.row // 16 : box.stop_row // 16, box.col // 16 : box.stop_col // 16] = True
    assert 0.05 <= held.mean() <= 0.35


@pytest.mark.parametrize("crop_px", [32, 64, 96, 128])
def test_a_scene_of_few_crops_has_labels_to_train_on(tmp_path: Path, crop_px: int) -> None:
    job = plan(draw_small(tmp_path), {"sampling.crop_px": crop_px}).job
    prepared = [found for found in prepare(job, tmp_path / "cache") if isinstance(found, Prepared)][-1]
    source = prepared.domains[SOURCE]
    assert any((source.draw(rng(0, i)).label < 255).any() for i in range(10))
    assert source.held_out_crops(rng(0), 10)


def test_a_source_without_a_label_beside_the_held_out_part_is_refused(tmp_path: Path) -> None:
    job = plan(draw_small(tmp_path), {"sampling.crop_px": 256, "sampling.min_valid": 0.1}).job
    with pytest.raises(BadInput, match="no label is left to train on"):
        list(prepare(job, tmp_path / "cache"))


def test_the_index_counts_every_labelled_and_valid_pixel(tmp_path: Path) -> None:
    draw(tmp_path)
    files = {"path": str(tmp_path / "source.tif"), "labels": str(tmp_path / "source-labels.tif")}
    region = Region.model_validate({"name": "here", "scenes": [files]})
    places = open_region(region, Legend.model_validate(LEGEND), "train")
    index = [f for f in build_index(places, 1.0, 16, 3, tmp_path / "i.npz") if isinstance(f, ClassIndex)][-1]
    grid = places[0].scene.grid
    assert places[0].labels
    label = places[0].labels.read(grid)
    assert index.classes[0].sum((0, 1)).tolist() == np.bincount(label[label < 255], minlength=3).tolist()
    assert index.valid[0].sum() == places[0].scene.read(grid.box).valid.sum()
    again = [f for f in build_index(places, 1.0, 16, 3, tmp_path / "i.npz") if isinstance(f, ClassIndex)][-1]
    assert np.array_equal(again.classes[0], index.classes[0])


def test_one_object_covers_equal_pixels_at_any_native_pixel_size(tmp_path: Path) -> None:
    """T-RS-1: a 20 m square, seen at 1 m and at 2.5 m, sampled at 2.5 m."""
    found = []
    for name, gsd_m in (("fine", 1.0), ("coarse", 2.5)):
        side = round(100 / gsd_m)
        at = np.arange(side) * gsd_m
        inside = (at >= 40) & (at < 60)
        image = np.where(inside[:, None] & inside[None], 200, 50).astype(np.uint8)
        path = write_raster(tmp_path / f"{name}.tif", image, transform=north_up(gsd_m))
        region = Region.model_validate({"name": name, "scenes": [str(path)]})
        (place,) = open_region(region, Legend.model_validate(LEGEND), "train")
        grid = place.scene.grid.at_gsd(2.5)
        found.append((place.scene.read(grid.box, 2.5).values > 125).sum())
    assert found[0] == found[1] == 64


@pytest.mark.parametrize(
    ("orientations", "expected"),
    [
        (
            "all",
            {(0, a, b, 0) for a in (-1, 1) for b in (-1, 1)}
            | {(a, 0, 0, b) for a in (-1, 1) for b in (-1, 1)},
        ),
        ("mirrored", {(1, 0, 0, 1), (1, 0, 0, -1)}),
        ("none", {(1, 0, 0, 1)}),
    ],
)
def test_crops_are_drawn_in_the_wanted_orientations_with_the_ground_that_they_show(
    tmp_path: Path, orientations: str, expected: set[tuple[int, ...]]
) -> None:
    """T-RS-3: of an image whose bands say where each pixel lies. A turn: how (row, column) of the ground grow
    with the crop's y, then with its x."""
    draw(tmp_path)
    rows, cols = np.mgrid[1:97, 1:97]
    label = np.random.default_rng(0).integers(0, 3, rows.shape).astype(np.uint8)
    seen = (rows + 2 * cols) % 7 > 0
    image = (np.stack([rows, cols, rows, cols]) * seen).astype(np.uint16)
    write_raster(tmp_path / "source.tif", image, names=BANDS, nodata=0)
    write_raster(tmp_path / "source-labels.tif", label, nodata=255)
    sampling = {"scale_jitter": 1.0, "rare_classes": False, "min_valid": 0.1, "orientations": orientations}
    domain = bench_for(job_for(tmp_path, sampling=sampling), tmp_path / "cache").domains[SOURCE]
    turns = set()
    for i in range(100):
        crop = domain.draw(rng(0, i))
        row, col = crop.values[:2].astype(int) - 1
        assert np.array_equal(crop.valid, row >= 0)
        labelled = crop.valid & (crop.label < 255)
        assert np.array_equal(crop.label[labelled], label[row[labelled], col[labelled]])
        y, x = np.nonzero(crop.valid)
        turn = np.linalg.lstsq(np.column_stack([y, x, y**0]), np.column_stack([row[y, x], col[y, x]]))[0]
        turns.add(tuple(np.rint(turn[:2]).astype(int).ravel().tolist()))
    assert turns == expected
