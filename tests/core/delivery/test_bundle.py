"""The delivery bundle: whole or visibly not, every file listed with its checksum."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from delivered import COLORS, finished_run, read
from small_job import NAMES
from typer.testing import CliRunner

from core.cli import app
from core.delivery.bundle import MANIFEST, deliver
from core.delivery.order import drop_unfinished, parts_made
from core.errors import STOPPED, BadInput
from core.runs.map_files import map_path
from core.runs.run import Run

ROOT = Path(__file__).parents[3]
STUCK = """
import time
import rasterio.shutil
from core.cli import app
def copy(made, partial, **_):
    partial.touch()
    print("writing", flush=True)
    time.sleep(60)
rasterio.shutil.copy = copy
app()
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return finished_run(tmp_path)


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_every_file_is_listed_with_its_checksum(run: Run, tmp_path: Path) -> None:
    to = tmp_path / "out"
    events = list(deliver(run.folder, to, parts=["class", "confidence"]))
    listed = json.loads((to / MANIFEST).read_text())
    assert sorted(listed["files"]) == [name for name in files(to) if name != MANIFEST]
    assert {"target.class.tif", "target.class.tif.aux.xml", "target.class.qml"} <= set(listed["files"])
    for name, found in listed["files"].items():
        content = (to / name).read_bytes()
        assert found == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    assert listed["model"] == "source-only"
    shares = [event.done / event.total for event in events]
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_the_map_has_the_runs_pixels_names_counts_and_colours(run: Run, tmp_path: Path) -> None:
    list(deliver(run.folder, tmp_path / "out", parts=["class"]))
    made, to = map_path(run.folder, "chosen", "target"), tmp_path / "out/target.class.tif"
    assert np.array_equal(read(to), read(made))
    table = (tmp_path / "out/target.class.tif.aux.xml").read_text()
    ids = read(made)
    for value, (name, rgb) in enumerate(zip(NAMES, COLORS, strict=True)):
        count = int((ids == value).sum())
        for cell in (name, count, *rgb):
            assert f"<F>{cell}</F>" in table


def test_a_delivery_that_ends_early_has_no_list_of_files(run: Run, tmp_path: Path) -> None:
    to = tmp_path / "out"
    list(deliver(run.folder, to, parts=["class", "confidence"]))
    again = deliver(run.folder, to, parts=["class", "confidence"])
    for event in again:
        if event.what.startswith("confidence"):
            break
    again.close()  # type: ignore[attr-defined]  # a generator
    assert not (to / MANIFEST).exists()
    assert not [name for name in files(to) if "partial" in name]


def test_a_delivery_that_is_told_to_end_leaves_nothing_half_written(run: Run, tmp_path: Path) -> None:
    to = tmp_path / "out"
    words = [sys.executable, "-P", "-c", STUCK, "export", str(run.folder), "--to", str(to), "--part", "class"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert any(line == "writing\n" for line in process.stdout)
        assert files(to) == ["target.class.tif.partial"]
        process.terminate()
    assert process.returncode == STOPPED
    assert files(to) == []


def test_what_a_killed_delivery_was_writing_is_known(tmp_path: Path) -> None:
    begun = ["north.class.tif.partial", "model/model.pt2.partial.pt2", "cleaned.partial/map.tif"]
    others = ["north.class.tif", "film.partial", "northern.class.tif.partial", "deep/north.class.tif.partial"]
    for name in begun + others:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    drop_unfinished(tmp_path, ["north"])
    assert files(tmp_path) == sorted(others)


def test_what_cannot_be_delivered_is_said_before_anything_is_written(run: Run, tmp_path: Path) -> None:
    to = tmp_path / "out"
    with pytest.raises(BadInput, match="it has: target"):
        next(deliver(run.folder, to, scenes=["elsewhere"]))
    with pytest.raises(BadInput, match="where the run keeps its maps"):
        next(deliver(run.folder, run.maps, parts=["class"]))
    map_path(run.folder, "chosen", "target", "confidence").unlink()
    assert {"class", "probabilities"} <= {*parts_made(run.folder, "chosen")}
    assert "confidence" not in parts_made(run.folder, "chosen")
    with pytest.raises(BadInput, match=r"confidence\.tif: is not there"):
        next(deliver(run.folder, to))
    assert not to.exists()


def test_the_command_names_an_unknown_part(run: Run, tmp_path: Path) -> None:
    said = CliRunner().invoke(
        app, ["export", str(run.folder), "--to", str(tmp_path / "out"), "--part", "clas"]
    )
    assert said.exit_code == 2
    assert "did you mean 'class'?" in said.output
    done = CliRunner().invoke(
        app, ["export", str(run.folder), "--to", str(tmp_path / "out"), "--part", "class"]
    )
    assert done.exit_code == 0, done.output
    assert (tmp_path / "out" / MANIFEST).exists()
