"""Preflight: one test for every fault and warning, on a job that is otherwise sound."""

from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
from affine import Affine
from small_job import BANDS, SIDE, draw, image, rectangle, stripes, truth, write_job, write_vector
from worlds import north_up, write_raster

from core.checks import label_census, preflight
from core.checks.findings import Verdict
from core.checks.preflight import check, inspect
from core.errors import BadInput
from core.job import load_job

LABELS = "source.scenes.0.labels"


def look(folder: Path, settings: dict[str, Any] | None = None) -> Verdict:
    return inspect(load_job(write_job(folder, settings)))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    draw(tmp_path)
    return tmp_path


def test_a_sound_job_has_no_findings(place: Path) -> None:
    verdict = look(place)
    assert not verdict.faults
    assert [warning.where for warning in verdict.warnings] == ["network.weights"]
    source, target = verdict.scenes
    assert (source.region, source.bands, source.gsd_m) == ("home", ["red", "green", "blue"], 1.0)
    assert source.labels
    assert source.labels.pixels == {"water": 40 * SIDE, "forest": 44 * SIDE, "field": 44 * SIDE}
    assert source.labels.counted == "every working pixel"
    assert target.labels is None
    assert verdict.pair
    assert verdict.pair.same_crs
    assert max(verdict.pair.distance.values()) < 0.1
    assert [(h.band, sum(h.counts)) for h in verdict.pair.target] == [(band, SIDE**2) for band in BANDS]
    assert verdict.pair.source != verdict.pair.target
    assert 30 <= verdict.pair.source[0].low < verdict.pair.source[0].high < 180
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict
    assert "the job can run" in verdict.text()


def test_vector_labels_are_counted_as_features_and_as_pixels(place: Path) -> None:
    labels = look(place, {LABELS: {"path": "labels.gpkg", "attribute": "class"}}).scenes[0].labels
    assert labels
    assert labels.features == {"water": 1, "forest": 1, "field": 1}
    assert labels.pixels["water"] == 40 * SIDE


def test_classes_called_by_numbers_are_those_numbers(place: Path) -> None:
    write_raster(place / "labels.tif", truth() + 1, nodata=255)
    numbers = [{"name": name, "color": "#000000"} for name in "123"]
    verdict = look(place, {"legend.classes": numbers, "target.scenes.0.labels": None})
    assert verdict.faults == []
    assert verdict.scenes[0].labels
    assert verdict.scenes[0].labels.pixels == {"1": 40 * SIDE, "2": 44 * SIDE, "3": 44 * SIDE}
    assert any("value 1 is class '1', value 2 is class '2'" in w.what for w in verdict.warnings)


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "a class in no label": (
        {"legend.classes": [{"name": f"c{i}", "color": "#000000", "values": [i]} for i in range(4)]},
        "class 'c3': is in no label of the source",
    ),
    "unmapped": (
        {"legend.classes": [{"name": f"c{i}", "color": "#000000", "values": [i]} for i in range(2)]},
        "labels.tif: 34.4% of its labelled pixels hold values without a class (2)",
    ),
    "target labels to train on": ({"target.scenes.0.labels": "check.tif"}, "write `use: check`"),
    "source is target": ({"target.scenes.0.path": "source.tif"}, "is both a source and a target scene"),
    "no labels": ({"source.scenes.0.labels": None}, "region home: has no labels to train on"),
    "labels of elsewhere": ({f"{LABELS}.path": "check.tif"}, "labels no pixel of"),
    "check labels that are none": (
        {"target.scenes.0.labels.path": "job.yaml"},
        "job.yaml: is not a readable raster",
    ),
    "bands that differ": ({"target.bands": [1, 2]}, "choose as many `bands` on both sides"),
    "too small": ({"sampling.crop_px": 512}, "is too small for crops of 512 pixels"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_and_stops_a_run(name: str, place: Path) -> None:
    settings, said = FAULTS[name]
    verdict = look(place, settings)
    assert said in verdict.faults[0].text
    assert "the job cannot run" in verdict.text()
    with pytest.raises(BadInput, match="; "):
        check(load_job(place / "job.yaml"))


def test_the_oracle_may_train_on_its_target(place: Path) -> None:
    verdict = look(place, {"target.scenes.0.path": "source.tif", "oracle": True})
    assert not verdict.faults


def test_a_restrictive_licence_is_named_before_anything_is_trained(place: Path) -> None:
    (warning,) = look(place, {"network.encoder": "mit_b0", "network.weights": "imagenet"}).warnings
    assert "network.encoder: mit_b0 is under NVIDIA Source Code License: non-commercial use" in warning.text


def test_a_random_encoder_is_warned_of_and_pretrained_weights_are_not(place: Path) -> None:
    (warning,) = look(place).warnings
    assert "the encoder starts from random numbers" in warning.text
    assert not look(place, {"network.weights": "imagenet"}).warnings


def test_an_image_without_data_is_a_fault(place: Path) -> None:
    write_raster(place / "target.tif", np.zeros((3, SIDE, SIDE), np.uint8), nodata=0)
    assert "no valid pixel" in look(place).faults[0].text


def test_swapped_axes_are_a_fault(place: Path) -> None:
    swapped = Affine(1e-5, 0, 48, 0, -1e-5, 120)
    write_raster(place / "target.tif", image(), names=BANDS, crs="EPSG:4326", transform=swapped)
    assert "reaches latitude 120: x and y seem to be swapped" in look(place).faults[0].text


def test_features_that_cover_no_pixel_are_told_from_features_that_are_not_there(place: Path) -> None:
    speck = (rectangle(10.1, 10.1, 10.3, 10.3), "field")
    write_vector(place / "labels.gpkg", [*stripes()[:2], speck])
    fault = look(place, {LABELS: {"path": "labels.gpkg", "attribute": "class"}}).faults[0]
    assert "has 1 features, but they cover no usable pixel" in fault.text


def test_several_faults_are_numbered(place: Path) -> None:
    classes = [{"name": f"c{i}", "color": "#000000", "values": [i]} for i in range(6)]
    look(place, {"legend.classes": classes})
    with pytest.raises(BadInput, match=r"class 'c3'.*\(2 more: `isthmus inspect`\)"):
        check(load_job(place / "job.yaml"))


def test_labels_under_nodata_do_not_count(place: Path) -> None:
    values = image()
    values[:, :, 84:] = 0
    write_raster(place / "source.tif", values, names=BANDS, nodata=0)
    assert "class 'field': is in no label" in look(place).faults[0].text


def warnings(folder: Path, settings: dict[str, Any] | None = None) -> str:
    verdict = look(folder, settings)
    assert not verdict.faults
    return "\n".join(finding.text for finding in verdict.warnings)


def test_no_crs(place: Path) -> None:
    write_raster(place / "target.tif", image(), names=BANDS, crs=None)
    assert "has no coordinate reference system" in warnings(place)


def test_pixel_sizes_far_apart(place: Path) -> None:
    write_raster(place / "target.tif", image(), names=BANDS, transform=north_up(4.5))
    assert "pixel sizes differ by a factor of 4.5" in warnings(place, {"sampling.working_gsd_m": 1})


@pytest.mark.parametrize("value", [0, 255])
def test_a_border_that_looks_like_nodata(place: Path, value: int) -> None:
    values = image()
    values[:, :10] = value
    write_raster(place / "target.tif", values, names=BANDS)
    assert f"holds {value} in every band and counts as data; if that means no data" in warnings(place)
    assert "in every band" not in warnings(place, {"target.nodata": value})


def test_much_nodata(place: Path) -> None:
    values = image()
    values[:, :100] = 0
    write_raster(place / "target.tif", values, names=BANDS, nodata=0)
    assert "is 78% nodata" in warnings(place)


def test_a_tiny_class(place: Path) -> None:
    values = truth()
    values[:, :40] = 1
    values[3, 3:9] = 0
    write_raster(place / "labels.tif", values, nodata=255)
    assert "class 'water': is only 0.037% of the source's labels" in warnings(place)


def test_radiometry_far_apart_and_types_that_differ(place: Path) -> None:
    values = image().astype(np.uint16) * 40
    write_raster(place / "target.tif", values, names=BANDS)
    said = warnings(place)
    assert "pixel values are far apart in red, green, blue" in said
    assert "pixel types differ (uint16, uint8)" in said


def test_few_crops(place: Path) -> None:
    assert "region home: holds only 1.8 crops of 96 pixels" in warnings(place, {"sampling.crop_px": 96})


def test_large_without_overviews(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "LARGE_PX", 100)
    write_raster(place / "target.tif", image(), names=BANDS, overviews=[2])
    said = warnings(place)
    assert f"{place / 'source.tif'}: is large and has no overviews" in said
    assert f"{place / 'target.tif'}: is large" not in said


def test_a_huge_scene_is_sampled_but_no_class_is_lost(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_census, "WINDOW_PX", 16)
    monkeypatch.setattr(label_census, "BUDGET_PX", SIDE * SIDE // 4)
    values = np.where(truth() == 2, 1, truth()).astype(np.uint8)
    values[20:24, 20:24] = 2  # in a window that the lattice leaves out
    write_raster(place / "labels.tif", values, nodata=255)
    verdict = look(place)
    assert not verdict.faults
    labels = verdict.scenes[0].labels
    assert labels
    assert labels.counted == "one window in 4, evenly spread"
    assert labels.pixels["field"] == 16


def test_the_area_of_interest_bounds_what_is_counted(place: Path) -> None:
    write_vector(place / "area.gpkg", [(rectangle(30, 0, 94, 100), "inside")])
    labels = look(place, {"source.scenes.0.area": "area.gpkg"}).scenes[0].labels
    assert labels
    assert labels.pixels == {"water": 1000, "forest": 4400, "field": 1000}


def test_labels_in_another_crs_are_found(place: Path) -> None:
    frame = geopandas.read_file(place / "labels.gpkg").to_crs("EPSG:4326")
    frame.to_file(place / "degrees.gpkg")
    labels = look(place, {LABELS: {"path": "degrees.gpkg", "attribute": "class"}}).scenes[0].labels
    assert labels
    assert abs(labels.pixels["water"] - 40 * SIDE) <= SIDE
