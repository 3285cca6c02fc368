from pathlib import Path
from typing import Any

import pytest

from app.edits import Document
from app.project import REMOVE, Project
from core.errors import BadInput
from core.job import dump_job, load_job

pytestmark = pytest.mark.usefixtures("qapp")

CLASSES = [{"name": "land", "color": "#00ff00"}, {"name": "water", "color": "#0000ff"}]


def content(folder: Path) -> dict[str, Any]:
    return {
        "version": 1,
        "name": "two places",
        "source": {
            "name": "a",
            "scenes": [{"path": str(folder / "a.tif"), "labels": {"path": str(folder / "l.tif")}}],
        },
        "target": {
            "name": "b",
            "scenes": [{"path": str(folder / "b.tif")}, {"path": "/elsewhere/c.tif", "include": False}],
        },
        "legend": {"classes": CLASSES},
    }


def test_what_is_saved_is_the_job_that_the_command_line_runs(tmp_path: Path) -> None:
    project = Project(content(tmp_path))
    project.save(tmp_path / "job.yaml")
    job = load_job(tmp_path / "job.yaml")
    assert job == project.job()
    assert [scene.path for scene in job.target.scenes] == [tmp_path / "b.tif"], "c is left out"
    assert "path: a.tif" in (tmp_path / "job.yaml").read_text(), "relative, so that the folder can move"
    assert Project.load(tmp_path / "job.yaml").content == project.content


def test_a_job_as_a_run_writes_it_down_is_a_project_like_the_one_it_came_from(tmp_path: Path) -> None:
    """It says what is set to nothing, which the window knows as what is not there."""
    project = Project(content(tmp_path) | {"network": {"weights": None}})
    (tmp_path / "job.yaml").write_text(dump_job(project.job()))
    again = Project.load(tmp_path / "job.yaml")
    assert again.job() == project.job()
    assert again.value("target", "scenes", 0, "labels", default="none") == "none"
    assert again.value("expected_shares", default="none") == "none"
    assert again.value("network", "weights", default="none") is None


def test_a_file_that_is_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "9f3a").touch()
    (tmp_path / "a.tif").symlink_to(tmp_path / "9f3a")
    Project(content(tmp_path)).save(tmp_path / "job.yaml")
    project = Project.load(tmp_path / "job.yaml")
    assert project.value("source", "scenes", 0, "path") == str(tmp_path / "a.tif")


def test_short_forms_are_read(tmp_path: Path) -> None:
    text = "name: x\nmethod: advent\nsource: {name: a, scenes: [a.tif, {path: b.tif, labels: b.gpkg}]}\n"
    (tmp_path / "job.yaml").write_text(text)
    project = Project.load(tmp_path / "job.yaml")
    assert project.value("method", "name") == "advent"
    assert project.value("source", "scenes", 0, "path") == str(tmp_path / "a.tif")
    assert project.value("source", "scenes", 1, "labels", "path") == str(tmp_path / "b.gpkg")


def test_an_incomplete_project_says_what_is_missing_first() -> None:
    project = Project.new()
    assert project.missing() == [
        "the source has no image",
        "the target has no image",
        "the legend needs at least two classes",
    ]
    with pytest.raises(BadInput, match="the source has no image"):
        project.job()
    project.put(("source", "scenes"), [{"path": "/a.tif"}])
    assert project.missing()[0] == "no source image has labels"


@pytest.fixture
def document(tmp_path: Path) -> Document:
    document = Document()
    Project(content(tmp_path)).save(tmp_path / "job.yaml")
    document.open(tmp_path / "job.yaml")
    return document


def test_edits_are_undone_and_redone(document: Document, tmp_path: Path) -> None:
    before = document.project.dumped(tmp_path)
    heard: list[tuple[Any, ...]] = []
    document.changed.connect(heard.append)
    document.change("Steps", {("schedule", "steps"): 300})
    document.change("No labels", {("source", "scenes", 0, "labels"): REMOVE, ("seed",): 3})
    assert heard == [("schedule", "steps"), ("source", "scenes", 0, "labels"), ("seed",)]
    assert document.value("seed") == 3
    assert document.value("source", "scenes", 0, "labels") is None
    document.undo.undo()
    document.undo.undo()
    assert document.value("schedule", "steps") is None
    assert document.value("source", "scenes", 0, "labels", "path") == str(tmp_path / "l.tif")
    document.undo.redo()
    assert document.value("schedule", "steps") == 300
    document.undo.undo()
    assert document.project.job() == load_job(tmp_path / "job.yaml")
    assert before.startswith("version")


def test_a_spin_box_turned_is_one_step_back(document: Document) -> None:
    for steps in (1, 2, 3):
        document.change("Steps", {("schedule", "steps"): steps}, merge="steps")
    document.change("Steps", {("schedule", "steps"): 3}, merge="steps")
    assert document.undo.count() == 1
    document.undo.undo()
    assert document.value("schedule", "steps") is None


def test_unsaved_edits_outlive_a_crash(document: Document, tmp_path: Path) -> None:
    assert not document.recoverable()
    document.change("Seed", {("seed",): 7})
    document.change("No version", {("version",): REMOVE})
    document._write_swap()
    again = Document()
    again.open(tmp_path / "job.yaml")
    assert not again.recoverable(), "they are another window's"
    again.forget_swap()
    document._swap._lock.release()  # as its window's death does
    assert again.recoverable()
    assert again.value("seed") is None
    again.recover()
    assert again.value("seed") == 7
    assert again.value("version") is None
    assert again.value("source", "scenes", 0, "path") == str(tmp_path / "a.tif")
    again.save()
    assert not again.recoverable()
    again.undo.undo()
    assert again.value("version") == 1


def test_saving_where_nothing_can_be_written_keeps_the_swap(document: Document, tmp_path: Path) -> None:
    document.change("Seed", {("seed",): 7})
    document._write_swap()
    with pytest.raises(BadInput):
        document.save(tmp_path / "job.yaml" / "no folder.yaml")
    assert document.recoverable()
    assert not document.undo.isClean()
