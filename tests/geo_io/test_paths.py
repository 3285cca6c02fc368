"""Paths that another library would read as something else."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from small_job import stripes, write_vector
from worlds import UTM

from geo_io import rings
from geo_io.errors import BadInput
from geo_io.label_values import vector_values
from geo_io.points import Points, holds_points, read_points, write_points
from geo_io.polygons import write_polygons, writing_polygons
from geo_io.vector import Area
from geo_io.vector_facts import vector_layers

NAMES = ["!proj/a.gpkg", "a!b.gpkg", "a;b.gpkg", "new\nline.gpkg"]


@pytest.mark.parametrize("name", NAMES)
def test_no_other_file_is_read_or_written(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / name
    for each in (path, tmp_path / "proj/a.gpkg", tmp_path / "b.gpkg"):
        each.parent.mkdir(exist_ok=True)
        shutil.copy(write_vector(tmp_path / "whole.gpkg", stripes()), each)
    before = {each: each.read_bytes() for each in tmp_path.rglob("*.gpkg")}
    for look in (
        Area,
        vector_layers,
        read_points,
        lambda p: vector_values(p, "class"),
        lambda p: rings.of_file(p, None),
    ):
        with pytest.raises(BadInput, match="rename the file or the folder"):
            look(path)
    assert not holds_points(path)
    with pytest.raises(BadInput, match="rename the file or the folder"):
        write_polygons(path, UTM, stripes(), "class")
    with pytest.raises(BadInput, match="rename the file or the folder"), writing_polygons(path, UTM):
        pass
    with pytest.raises(BadInput, match="rename the file or the folder"):
        write_points(path, Points(np.zeros((1, 2)), UTM, {}))
    assert {each: each.read_bytes() for each in tmp_path.rglob("*.gpkg")} == before


@pytest.mark.parametrize("name", ["it's.gpkg", "a%20b.gpkg", "hash#x.gpkg", "q?mode=rw.gpkg", "c:d & e.gpkg"])
def test_other_signs_are_no_harm(name: str, tmp_path: Path) -> None:
    path = write_vector(tmp_path / name, stripes())
    assert vector_layers(path)[0].features == 3
    assert len(rings.of_file(path, None)) == 3
