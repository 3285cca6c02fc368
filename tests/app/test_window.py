"""The window as a whole: which run it is on when projects and runs come and go."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog, QMessageBox
from pytestqt.qtbot import QtBot
from recorded import EXITS, JOURNALS, at_work, run_folder

from app.window import MainWindow
from core.files import write_json

JOB = (JOURNALS / "job.yaml").read_text()


@pytest.fixture
def window(quiet_window: MainWindow) -> Iterator[MainWindow]:
    yield quiet_window
    quiet_window.close()


def project(folder: Path, *runs: str) -> Path:
    """A project with recorded runs."""
    for name in runs:
        run_folder(name, folder / "runs" / name)
    folder.mkdir(exist_ok=True)
    (folder / "fields.yaml").write_text(JOB)
    return folder / "fields.yaml"


def selected(window: MainWindow) -> list[str]:
    return [run.folder.name for run in window.run_list.selected()]


def listed(window: MainWindow) -> set[str]:
    return {run.folder.name for run in window.history.rows}


def looked_at(window: MainWindow) -> Path | None:
    return window.runs.follower.folder if window.runs.follower else None


def choose(window: MainWindow, qtbot: QtBot, folder: Path) -> None:
    qtbot.waitUntil(lambda: window.history.run(folder) is not None)
    window.run_list.select(folder)


def test_the_job_of_a_run_is_looked_at_and_never_saved_over(
    window: MainWindow, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = tmp_path / "a" / "runs" / "finished" / "job.yaml"
    project(tmp_path / "a", "finished")
    before = job.read_bytes()
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(job), ""))
    window.files.choose()
    assert looked_at(window) == job.parent
    window.document.change("Seed", {("seed",): 7})
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(job), ""))
    with qtbot.waitSignal(window.files.failed) as told:
        assert not window.files.save()
    assert "lies in the folder of the run finished" in told.args[0]
    assert job.read_bytes() == before


@pytest.mark.parametrize("another", [True, False])
def test_another_project_lets_go_of_the_run(
    window: MainWindow, tmp_path: Path, qtbot: QtBot, another: bool
) -> None:
    first = tmp_path / "a" / "runs" / "finished"
    window.open_path(project(tmp_path / "a", "finished"))
    choose(window, qtbot, first)
    qtbot.waitUntil(lambda: window.runs.results.outcome is not None)
    window.runs.results.show_requested.emit(first, "target", "chosen")
    qtbot.waitUntil(lambda: window.maps.target.result("run 0") is not None)
    window.runs.results.show_run(first)  # and one on its way
    window.runs.results.show_requested.emit(first, "target", "adapted")
    if another:
        window.open_path(project(tmp_path / "b", "stopped"))
    else:
        window.files.new()
    assert looked_at(window) is None
    assert window.run_list.selected() == []
    assert not window.run_list.bar.delete.isEnabled()
    assert "finished" not in listed(window)
    with qtbot.waitSignal(window.history.listed):
        window.history.refresh()
    assert listed(window) == ({"stopped"} if another else set())
    assert window.runs.results.outcome is None
    assert window.maps.target.result("run 0") is None
    assert "Nothing" in window.runs.watch.status.text()


def test_a_save_keeps_the_runs_from_elsewhere_and_the_selection(
    window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    window.open_path(project(tmp_path / "a", "stopped"))
    window.document.change("Image", {("target", "scenes", 0, "path"): str(tmp_path / "far/away/target.tif")})
    far = run_folder("finished", tmp_path / "far" / "away")
    window.open_path(far)
    qtbot.waitUntil(lambda: selected(window) == ["away"])
    window.document.change("Seed", {("seed",): 7})
    for to in (None, tmp_path / "b" / "fields.yaml"):
        (tmp_path / "b").mkdir(exist_ok=True)
        window.document.save(to)
        with qtbot.waitSignal(window.history.listed):
            window.history.refresh()
        assert listed(window) == {"stopped", "away"}
        assert selected(window) == ["away"]


def test_a_started_run_is_the_one_that_the_menu_is_for(
    window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    window.open_path(project(tmp_path, "stopped"))
    choose(window, qtbot, tmp_path / "runs" / "stopped")
    started = run_folder("finished", tmp_path / "runs" / "new")
    window.launcher.started.emit(started)
    assert looked_at(window) == started
    assert selected(window) == []
    assert not window.run_list.bar.delete.isEnabled(), "it is not for the old one"
    qtbot.waitUntil(lambda: selected(window) == ["new"])
    assert looked_at(window) == started


def test_a_run_chosen_meanwhile_stays_chosen(window: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    window.open_path(project(tmp_path, "stopped"))
    qtbot.waitUntil(lambda: bool(window.history.rows))
    window.run_list.show_run(run_folder("finished", tmp_path / "runs" / "new"))
    window.run_list.select(tmp_path / "runs" / "stopped")
    with qtbot.waitSignal(window.history.listed):
        window.history.refresh()
    assert listed(window) == {"stopped", "new"}
    assert selected(window) == ["stopped"]


def test_a_run_that_starts_after_its_project_was_left_is_not_looked_at(
    window: MainWindow, tmp_path: Path
) -> None:
    window.open_path(project(tmp_path / "a", "finished"))
    window.open_path(project(tmp_path / "b"))
    window.launcher.started.emit(tmp_path / "a" / "runs" / "finished")
    assert looked_at(window) is None


def test_a_project_with_a_run_at_work_comes_back_at_it(
    window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    path = project(tmp_path, "finished", "stopped")
    with at_work(tmp_path / "runs" / "busy"):
        window.open_path(path)
        qtbot.waitUntil(lambda: selected(window) == ["busy"])
        assert looked_at(window) == tmp_path / "runs" / "busy"
        assert window.bottom.isVisible()
        assert window.steps.current == "runs"
        choose(window, qtbot, tmp_path / "runs" / "stopped")
        with qtbot.waitSignal(window.history.listed):
            window.history.refresh()
        assert selected(window) == ["stopped"], "once is enough"


def test_a_project_whose_runs_are_over_is_just_opened(
    window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(window.history.listed):
        window.open_path(project(tmp_path, "finished", "stopped"))
    assert looked_at(window) is None
    assert selected(window) == []
    assert window.steps.current == "imagery"


def test_a_run_without_its_project_brings_its_own_imagery(
    window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    run = run_folder("finished", tmp_path / "run")
    before = (run / "job.yaml").read_bytes()
    window.open_path(run)
    assert window.document.value("target", "scenes", 0, "path") == str(run / "target.tif")
    assert window.document.project.path is None, "a save must not write into the run"
    assert window.document.undo.isClean()
    assert window.document.project.job().name == "tiny"
    qtbot.waitUntil(lambda: selected(window) == ["run"])
    assert window.steps.current == "results"
    assert (run / "job.yaml").read_bytes() == before


def test_a_run_of_the_open_project_leaves_it_open(window: MainWindow, tmp_path: Path) -> None:
    path = project(tmp_path, "finished")
    run = tmp_path / "runs" / "finished"
    (run / "job.yaml").write_text(JOB.replace("path: target.tif", f"path: {tmp_path}/target.tif"))
    window.open_path(path)
    window.open_path(run)
    assert window.document.project.path == path
    assert looked_at(window) == run


def test_edits_are_asked_about_before_a_run_brings_its_imagery(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.open_path(project(tmp_path / "a"))
    window.document.change("Seed", {("seed",): 7})
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Cancel)
    window.open_path(run_folder("finished", tmp_path / "run"))
    assert window.document.value("seed") == 7
    assert looked_at(window) is None


def test_a_run_whose_job_is_damaged_is_a_sentence(window: MainWindow, tmp_path: Path) -> None:
    run = run_folder("finished", tmp_path / "run")
    (run / "job.yaml").write_text("- no job")
    window.open_path(run)
    assert window.notice.notice is not None
    assert "job.yaml" in window.notice.notice.text
    assert window.pages.currentWidget() is window.start


@pytest.fixture
def told(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a user who looks elsewhere is told."""
    told: list[str] = []
    monkeypatch.setattr(window.notifier, "tell", told.append)
    return told


def test_the_end_of_a_run_that_nobody_looks_at_is_told_with_its_cause(
    window: MainWindow, told: list[str], tmp_path: Path, qtbot: QtBot
) -> None:
    path = project(tmp_path, "stopped")
    with at_work(tmp_path / "runs" / "busy") as busy:
        window.open_path(path)
        qtbot.waitUntil(lambda: looked_at(window) == busy)
        choose(window, qtbot, tmp_path / "runs" / "stopped")
        window.steps.show_step("legend")
        write_json(busy / "exit.json", EXITS["died"])
        qtbot.waitUntil(lambda: bool(told))
    words = (
        "busy: died: the system killed the worker, for memory had run out; lower sampling.batch, and resume"
    )
    assert told == [words]
    assert words in [notice.text for notice in window.notice._waiting]
    assert window.steps.current == "legend"
    assert looked_at(window) == tmp_path / "runs" / "stopped"


def test_the_end_of_the_run_that_is_looked_at_shows_its_results(
    window: MainWindow, told: list[str], tmp_path: Path, qtbot: QtBot
) -> None:
    path = project(tmp_path)
    with at_work(tmp_path / "runs" / "busy") as busy:
        window.open_path(path)
        qtbot.waitUntil(lambda: looked_at(window) == busy)
        write_json(busy / "exit.json", EXITS["finished"])
        qtbot.waitUntil(lambda: window.steps.current == "results")
    assert told == ["busy: finished"]


def test_who_does_not_want_to_be_told_reads_it_in_the_window(
    window: MainWindow, told: list[str], tmp_path: Path, qtbot: QtBot
) -> None:
    window.preferences.notifications = False
    follower = window.history.follower(run_folder("stopped", tmp_path / "run"))
    qtbot.waitUntil(lambda: follower.state is not None)
    window.history.ended.emit(follower)
    assert told == []
    assert window.notice.notice is not None
    assert window.notice.notice.text.startswith("run: stopped; resume it")
