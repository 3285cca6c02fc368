"""The start page: every way into a project."""

import threading
from pathlib import Path

import pytest
from gestures import drop
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

import core.sample.sample
from app.panels.start import StartPanel
from app.recent import recent_projects, remember


@pytest.fixture
def panel(qtbot: QtBot, tmp_path: Path) -> StartPanel:
    panel = StartPanel()
    qtbot.addWidget(panel)
    panel.sample.set_folder(tmp_path / "sample")
    panel.show()
    return panel


def test_the_sample_is_drawn_on_the_spot_and_opened(qtbot: QtBot, panel: StartPanel, tmp_path: Path) -> None:
    with qtbot.waitSignal(panel.open_requested, timeout=120_000) as opened:
        panel.sample.button.click()
        assert panel.sample.progress_row.isVisible()
        assert not panel.sample.button.isEnabled()
    assert opened.args == [tmp_path / "sample" / "job.yaml"]
    assert (tmp_path / "sample" / "job.yaml").is_file()
    assert not panel.sample.progress_row.isVisible()
    with qtbot.waitSignal(panel.open_requested) as again:  # it is there now, and opened at once
        panel.sample.button.click()
    assert again.args == opened.args


def test_drawing_is_cancelled_and_leaves_nothing(
    qtbot: QtBot, panel: StartPanel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, draw = threading.Event(), core.sample.sample.draw_place
    monkeypatch.setattr(core.sample.sample, "draw_place", lambda *args: gate.wait(30) and draw(*args))
    panel.open_requested.connect(lambda path: pytest.fail(f"opened {path}"))
    panel.sample.button.click()
    panel.sample.cancel_button.click()
    assert "stopping" in panel.sample.progress.format()
    gate.set()
    qtbot.waitUntil(lambda: not panel.sample.drawing, timeout=60_000)
    assert panel.sample.button.isEnabled()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_other_things_gets_one_inside(panel: StartPanel, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    panel.sample.set_folder(tmp_path)
    assert panel.sample.folder == tmp_path / "isthmus-sample"
    assert str(panel.sample.folder) in panel.sample.where.text()


def test_a_folder_that_cannot_be_written_is_a_sentence(
    qtbot: QtBot, panel: StartPanel, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    panel.sample.set_folder(tmp_path / "file" / "sample")
    panel.sample.button.click()
    qtbot.waitUntil(panel.sample.problem.isVisible, timeout=60_000)
    assert "cannot be written" in panel.sample.problem.text()
    assert panel.sample.button.isEnabled()


def test_recent_projects_open_and_missing_ones_say_so(
    qtbot: QtBot, panel: StartPanel, tmp_path: Path
) -> None:
    assert panel.no_recent.isVisible()
    there = tmp_path / "valley" / "job.yaml"
    there.parent.mkdir()
    there.write_text("name: valley")
    remember(tmp_path / "gone.yaml")
    remember(there)
    panel.refresh()
    assert not panel.no_recent.isVisible()
    names = ["valley", "gone (not found)"]
    qtbot.waitUntil(lambda: [panel.recent.item(i).text().split("\n")[0] for i in range(2)] == names)
    opened = list[Path]()
    panel.open_requested.connect(opened.append)
    for row in (0, 1):
        panel.recent.setCurrentRow(row)
        qtbot.keyClick(panel.recent, Qt.Key.Key_Return)
    assert opened == [there]


def test_a_disk_that_does_not_answer_holds_nothing_up(
    qtbot: QtBot, panel: StartPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = threading.Event()
    monkeypatch.setattr(Path, "is_file", lambda _: answer.wait(10) and False)
    remember(Path("/dead/valley.yaml"))
    panel.refresh()
    assert panel.recent.item(0).text() == "valley\n/dead"
    assert not answer.is_set()
    answer.set()
    qtbot.waitUntil(lambda: "not found" in panel.recent.item(0).text())


def test_delete_takes_a_project_off_the_list_for_good(
    qtbot: QtBot, panel: StartPanel, tmp_path: Path
) -> None:
    remember(tmp_path / "a.yaml")
    remember(tmp_path / "b.yaml")
    panel.refresh()
    panel.recent.setCurrentRow(0)
    qtbot.keyClick(panel.recent, Qt.Key.Key_Delete)
    assert recent_projects() == [tmp_path / "a.yaml"]
    assert panel.recent.count() == 1


def test_a_job_file_is_dropped_and_opened(qtbot: QtBot, panel: StartPanel, tmp_path: Path) -> None:
    with qtbot.waitSignal(panel.open_requested) as opened:
        assert drop(panel, tmp_path / "notes.txt", tmp_path / "my job.YAML").isAccepted()
    assert opened.args == [tmp_path / "my job.YAML"]
    with qtbot.assertNotEmitted(panel.open_requested):
        assert not drop(panel, tmp_path / "image.tif").isAccepted()


def test_a_new_project_is_asked_for(qtbot: QtBot, panel: StartPanel) -> None:
    with qtbot.waitSignal(panel.new_requested):
        panel.new.click()
