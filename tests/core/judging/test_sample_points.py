"""Sample points: drawn by class, blind, and read back against any map of the place."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import rasterio
import yaml
from engines import LEGEND, draw, job_for
from typer.testing import CliRunner
from worlds import WEST, north_up, write_raster

from core.cli import app
from core.draws import rng
from core.errors import BadInput
from core.judging.sample_points import KEY, draw_points, read_sample
from geo_io.legend import Legend
from geo_io.points import Points, holds_points, read_points, read_table, write_points

SIDE = 200
legend = Legend.model_validate(LEGEND)


@pytest.fixture
def class_map(tmp_path: Path) -> Path:
    """Water in the west, a strip of fields, four pixels of town, and nodata in the south."""
    ids = np.zeros((SIDE, SIDE), np.uint8)
    ids[:, 120:] = 1
    ids[:2, :2] = 2
    ids[-20:] = 255
    return write_raster(tmp_path / "map.tif", ids, nodata=255)


def labelled(path: Path, labels: list[str | None]) -> None:
    points, key = read_points(path), key_of(path)
    columns = {**points.columns, "label": np.array(labels, object)}
    write_points(path, points._replace(columns=columns), {KEY: key})


def key_of(path: Path) -> Mapping[str, np.ndarray]:
    key = read_table(path, KEY)
    assert key
    return key


def strata(path: Path, seed: int = 0) -> np.ndarray:
    """(n,) the class that each point was drawn from."""
    return np.argsort(rng(seed, "strata").permutation(len(legend.classes)))[key_of(path)["stratum"]]


def test_points_lie_on_their_class_each_once_and_the_rare_are_all_there(
    class_map: Path, tmp_path: Path
) -> None:
    to = tmp_path / "points.gpkg"
    told = list(draw_points(class_map, legend, to, error=0.03, least=50))
    points = read_points(to)
    stratum = strata(to)
    assert np.bincount(stratum).tolist() == [104, 70, 4]
    assert len(np.unique(points.xy, axis=0)) == len(points.xy)
    cols = np.floor(points.xy[:, 0] - WEST)
    assert (np.where(cols >= 120, 1, 0)[stratum < 2] == stratum[stratum < 2]).all()
    assert set(points.columns["label"]) == {None}
    assert key_of(to)["stratum_m2"][stratum == 2] == pytest.approx(4.0, rel=1e-2)
    assert told[-1].done == told[-1].total > 0


def test_a_stray_pixel_is_drawn_with_the_largest_class_and_spoils_no_sample(
    class_map: Path, tmp_path: Path
) -> None:
    with rasterio.open(class_map, "r+") as file:
        file.write(np.array([[0, 0], [0, 2]], np.uint8), 1, window=((0, 2), (0, 2)))
    to = tmp_path / "points.gpkg"
    list(draw_points(class_map, legend, to))
    assert set(strata(to)) == {0, 1}
    labelled(to, ["water"] * len(read_points(to).xy))
    sample, left = read_sample(to, class_map, legend)
    assert left == 0
    assert sample.stratum_sizes.sum() == pytest.approx(180 * SIDE, rel=0.01)


def test_every_pixel_of_a_class_is_as_likely_as_another(class_map: Path, tmp_path: Path) -> None:
    found = np.zeros(120)
    for seed in range(20):
        to = tmp_path / f"{seed}.gpkg"
        list(draw_points(class_map, legend, to, error=0.03, seed=seed))
        points = read_points(to)
        found += np.bincount(
            np.floor(points.xy[:, 0] - WEST)[strata(to, seed) == 0].astype(int), minlength=120
        )
    quarters = found.reshape(4, 30).sum(1)
    expected = found.sum() / 4
    assert np.abs(quarters - expected).max() < 4 * np.sqrt(expected)


def test_the_same_seed_draws_the_same_points(class_map: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        list(draw_points(class_map, legend, tmp_path / f"{name}.gpkg", seed=5))
    a, b = (read_points(tmp_path / f"{name}.gpkg").xy for name in ("a", "b"))
    assert np.array_equal(a, b)


def test_labels_are_read_by_name_or_number_and_empty_ones_left_out(class_map: Path, tmp_path: Path) -> None:
    to = tmp_path / "points.gpkg"
    list(draw_points(class_map, legend, to, error=0.03))
    stratum = strata(to)
    labelled(to, [None if i == 0 else ("Field" if s == 1 else str(s)) for i, s in enumerate(stratum)])
    sample, left_out = read_sample(to, class_map, legend)
    assert left_out == 1
    assert np.array_equal(sample.truth, stratum[1:])
    assert np.array_equal(sample.mapped, stratum[1:])
    sizes = sample.stratum_sizes[[int(sample.stratum[sample.truth == c][0]) for c in range(3)]]
    assert sizes / sizes.sum() == pytest.approx(np.array([180 * 120 - 4, 180 * 80, 4]) / (180 * 200))


def test_another_map_of_the_place_is_judged_by_the_same_points(class_map: Path, tmp_path: Path) -> None:
    to = tmp_path / "points.gpkg"
    list(draw_points(class_map, legend, to, error=0.03))
    stratum = strata(to)
    labelled(to, [legend.names[s] for s in stratum])
    other = write_raster(tmp_path / "other.tif", np.ones((SIDE, SIDE), np.uint8), nodata=255)
    sample, _ = read_sample(to, other, legend)
    assert (sample.mapped == 1).all()
    assert (sample.truth == stratum).all()


def test_a_word_that_is_no_class_is_named(class_map: Path, tmp_path: Path) -> None:
    to = tmp_path / "points.gpkg"
    list(draw_points(class_map, legend, to, error=0.03))
    labelled(to, ["feild"] * len(read_points(to).xy))
    with pytest.raises(BadInput, match=r"points.gpkg.*point 1: label 'feild'.*water, field, town"):
        read_sample(to, class_map, legend)


def test_unlabelled_points_and_other_points_are_refused(class_map: Path, tmp_path: Path) -> None:
    to = tmp_path / "points.gpkg"
    list(draw_points(class_map, legend, to, error=0.03))
    with pytest.raises(BadInput, match="no point on the map has a label"):
        read_sample(to, class_map, legend)
    write_points(to, Points(np.zeros((1, 2)), None, {"name": np.array(["a"], object)}))
    with pytest.raises(BadInput, match="has no attribute 'label'"):
        read_sample(to, class_map, legend)


def test_from_the_command_line_and_back(class_map: Path, tmp_path: Path) -> None:
    draw(tmp_path)
    job_for(tmp_path)
    to, job = tmp_path / "points.gpkg", str(tmp_path / "job.yaml")
    ask = ["sample-points", str(class_map), "--to", str(to), "--legend", job, "--error", "0.03"]
    drawn = CliRunner().invoke(app, ask)
    assert drawn.exit_code == 0, drawn.output
    assert "water, field, town" in drawn.output
    assert holds_points(to)
    again = CliRunner().invoke(app, ask)
    assert again.exit_code == 2
    labelled(to, [legend.names[s] for s in strata(to)])
    judged = CliRunner().invoke(app, ["evaluate", str(class_map), str(to), "--legend", job, "--json"])
    found = json.loads(judged.output)
    assert found["overall"] == {"value": 1.0, "margin": 0.0}
    assert found["classes"]["field"]["area_ha"]["value"] == pytest.approx(1.44, rel=1e-2)
    shown = CliRunner().invoke(app, ["evaluate", str(class_map), str(to), "--legend", job])
    assert "overall accuracy 100.0 ± 0.0" in shown.output
    eroded = CliRunner().invoke(
        app, ["evaluate", str(class_map), str(to), "--legend", job, "--erode-px", "3"]
    )
    assert eroded.exit_code == 2, "points have no borders"
    assert yaml.safe_load((tmp_path / "job.yaml").read_text())["name"] == "tiny"


def test_the_interpreter_sees_neither_class_nor_stratum(class_map: Path, tmp_path: Path) -> None:
    codes = set()
    for seed in range(5):
        to = tmp_path / f"{seed}.gpkg"
        list(draw_points(class_map, legend, to, error=0.03, seed=seed))
        assert set(read_points(to).columns) == {"point", "label"}
        codes.add(tuple(key_of(to)["stratum"][strata(to, seed) == c][0] for c in range(3)))
    assert len(codes) > 1


def test_points_with_their_strata_beside_the_label_are_still_read(class_map: Path, tmp_path: Path) -> None:
    to, old, copied = (tmp_path / f"{name}.gpkg" for name in ("points", "old", "copied"))
    list(draw_points(class_map, legend, to, error=0.03))
    labels = [legend.names[c] for c in strata(to)]
    beside = {"stratum": strata(to), "stratum_m2": key_of(to)["stratum_m2"]}
    labelled(to, list(labels))
    points = read_points(to)
    write_points(old, points._replace(columns={**points.columns, **beside}))
    before, now = (read_sample(path, class_map, legend)[0] for path in (old, to))
    assert np.array_equal(before.truth, now.truth)
    assert sorted(before.stratum_sizes) == sorted(now.stratum_sizes)
    write_points(copied, points)
    with pytest.raises(BadInput, match="very file that `isthmus sample-points` wrote"):
        read_sample(copied, class_map, legend)
    points.columns["point"][-1] = 99_999
    write_points(to, points, {KEY: key_of(to)})
    with pytest.raises(BadInput, match="point 99999 was not drawn"):
        read_sample(to, class_map, legend)


def test_a_map_of_another_place_is_told_from_missing_labels(class_map: Path, tmp_path: Path) -> None:
    to = tmp_path / "points.gpkg"
    list(draw_points(class_map, legend, to, error=0.03))
    far = north_up(1, WEST + 9000)
    elsewhere = write_raster(tmp_path / "far.tif", np.ones((9, 9), np.uint8), nodata=255, transform=far)
    with pytest.raises(BadInput, match=r"no point lies on the data of .*far.tif; name a map of the place"):
        read_sample(to, elsewhere, legend)
