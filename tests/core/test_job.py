"""A job reads strictly, says where it is wrong, and survives a round trip."""

from pathlib import Path

import pytest
import yaml
from engines import LEGEND

from core.errors import BadInput
from core.job import dump_job, follow_links, load_job
from core.registry import load

LEAST = {
    "name": "least",
    "source": {"name": "a", "scenes": [{"path": "a.tif", "labels": "a.gpkg"}]},
    "target": {"name": "b", "scenes": ["b.tif"]},
    "legend": LEGEND,
}


def written(folder: Path, **changes: object) -> Path:
    path = folder / "job.yaml"
    path.write_text(yaml.safe_dump(LEAST | changes))
    return path


def test_the_least_job_has_defaults_and_absolute_paths(tmp_path: Path) -> None:
    job = load_job(written(tmp_path))
    assert job.method.name == "combined"
    assert job.source.scenes[0].path == tmp_path / "a.tif"
    assert job.source.scenes[0].labels
    assert job.source.scenes[0].labels.path == tmp_path / "a.gpkg"
    assert job.target.scenes[0].path == tmp_path / "b.tif"


def test_a_file_that_is_a_link_stays_one_and_leads_to_the_same_file(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "9f3a").touch()
    (tmp_path / "a.gpkg").symlink_to(tmp_path / "store" / "9f3a")
    (tmp_path / "near").symlink_to(tmp_path)
    job = load_job(written(tmp_path / "near"))
    labels = job.source.scenes[0].labels
    assert labels
    assert labels.path == tmp_path / "a.gpkg", "its suffix and side-cars are the link's"
    followed = follow_links(job).source.scenes[0].labels
    assert followed
    assert followed.path == tmp_path / "store" / "9f3a"


def test_a_round_trip_changes_nothing(tmp_path: Path) -> None:
    job = load_job(written(tmp_path, method={"name": "advent", "options": {"weight": 0.01}}, seed=7))
    (tmp_path / "again.yaml").write_text(dump_job(job))
    assert load_job(tmp_path / "again.yaml") == job


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sampling": {"crop_pixels": 64}}, ["sampling.crop_pixels", "crop_px"]),
        ({"schedul": {}}, ["schedul", "schedule"]),
        ({"sampling": {"batch": 0}}, ["sampling.batch", "greater"]),
        ({"source": {"name": "a", "scenes": [{"pth": "a.tif"}]}}, ["source.scenes.0", "path"]),
        ({"legend": {"classes": [{"name": "x", "color": "red"}] * 2}}, ["legend.classes.0.color", "#rrggbb"]),
        ({"seed": "seven"}, ["seed", "integer", "`isthmus settings seed`"]),
        (
            {"network": {"multi_resolution": True}},
            ["a group of settings", "`isthmus settings multi_resolution`"],
        ),
        ({"method": {"options": [1]}}, ["method.options", "a group of settings"]),
        ({"network": {"decoder_channels": 16}}, ["decoder_channels", "a list"]),
        ({"expected_shares": {"twon": 0.1}}, ["expected_shares", "'twon'", "town"]),
        ({"expected_shares": {"town": 1.5}}, ["expected_shares.town", "less than or equal to 1"]),
        ({"expected_shares": {"town": 0.6, "field": 0.6}}, ["expected_shares", "add up to 1.2"]),
    ],
)
def test_a_wrong_key_names_its_path_and_the_nearest_right_one(
    tmp_path: Path, changes: dict[str, object], words: list[str]
) -> None:
    with pytest.raises(BadInput) as fault:
        load_job(written(tmp_path, **changes))
    for word in words:
        assert word in str(fault.value)
    assert "\n" not in str(fault.value)


def test_a_word_that_yaml_takes_for_something_else_is_that_word(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_text(path.read_text() + "schedule: {precision: 32}\nnetwork: {multi_resolution: {scale: 4}}\n")
    job = load_job(path)
    assert job.schedule.precision == "32"
    assert job.network.multi_resolution
    assert job.network.multi_resolution.scale == 4
    assert load("combined").Options(**yaml.safe_load("adabn: no")).model_dump()["adabn"] == "no"
    for wrong in ("precision: 16", "precision: no", "precision: [32]"):
        path.write_text(yaml.safe_dump(LEAST) + f"schedule: {{{wrong}}}")
        with pytest.raises(BadInput, match=r"schedule\.precision.*'auto', '32' or 'bf16'"):
            load_job(path)


def test_scenes_that_are_not_included_are_as_if_not_listed(tmp_path: Path) -> None:
    scenes = [{"path": "b.tif", "include": False}, {"path": "c.tif"}]
    job = load_job(written(tmp_path, target={"name": "b", "scenes": scenes}))
    assert [scene.path.name for scene in job.target.scenes] == ["c.tif"]
    with pytest.raises(BadInput, match="region b: includes no scene"):
        load_job(written(tmp_path, target={"name": "b", "scenes": scenes[:1]}))
