"""Opening, leaving and making projects: what is asked, and what the answers come to."""

from pathlib import Path

import pytest
from described import JOB
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from app.edits import Document
from app.preferences import Preferences
from app.project_files import Answer, ProjectFiles


class Asked:
    """Stands in for the user: what was asked, and the next answer."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.answer = Answer.Cancel

    def question(self, _parent: object, _title: str, text: str, *_: object) -> QMessageBox.StandardButton:
        self.texts.append(text)
        return self.answer


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    asked = Asked()
    monkeypatch.setattr(QMessageBox, "question", asked.question)
    return asked


@pytest.fixture
def files(qtbot: QtBot) -> ProjectFiles:
    window = QWidget()
    qtbot.addWidget(window)
    return ProjectFiles(Document(window), window)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    path = tmp_path / "fields.yaml"
    path.write_text(JOB)
    return path


def edit(files: ProjectFiles, seed: int = 7) -> None:
    files._document.change("Seed", {("seed",): seed})
    files._document._write_swap()


def dead(document: Document) -> None:
    """Its window is gone, its swap is not: a lock ends with its holder."""
    document._swap_due.stop()
    document._swap._lock.release()


def test_a_new_project_on_the_users_device_has_no_edits(files: ProjectFiles, asked: Asked) -> None:
    Preferences().device = "cuda:1"
    files.new()
    assert files._document.value("schedule", "device") == "cuda:1"
    assert files._document.undo.isClean()
    assert files.may_leave()
    assert asked.texts == []


def test_leaving_without_edits_asks_nothing(files: ProjectFiles, project: Path, asked: Asked) -> None:
    files.open(project)
    assert files.may_leave()
    assert asked.texts == []


@pytest.mark.parametrize("answer", [Answer.Save, Answer.Discard, Answer.Cancel])
def test_edits_are_saved_dropped_or_stay_as_the_user_says(
    files: ProjectFiles, project: Path, asked: Asked, answer: Answer
) -> None:
    files.open(project)
    edit(files)
    asked.answer = answer
    assert files.may_leave() == (answer != Answer.Cancel)
    assert asked.texts == ["Save the edits of fields?"]
    assert ("seed: 7" in project.read_text()) == (answer == Answer.Save)
    assert files._document.recoverable() == (answer == Answer.Cancel)


def test_a_save_that_fails_or_is_cancelled_leaves_nothing(
    files: ProjectFiles, asked: Asked, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, qtbot: QtBot
) -> None:
    files.new()
    edit(files)
    asked.answer = Answer.Save
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("", ""))
    assert not files.may_leave()
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "no" / ""), ""))
    (tmp_path / "no").mkdir()
    with qtbot.waitSignal(files.failed):
        assert not files.may_leave()
    assert files._document.value("seed") == 7


def test_another_project_is_not_opened_over_edits_that_stay(
    files: ProjectFiles, project: Path, asked: Asked, tmp_path: Path
) -> None:
    files.open(project)
    edit(files)
    (tmp_path / "other.yaml").write_text("name: other")
    files.open(tmp_path / "other.yaml")
    files.new()
    assert files._document.value("name") == "fields"
    asked.answer = Answer.Discard
    files.open(tmp_path / "other.yaml")
    assert files._document.value("name") == "other"


def test_a_project_without_a_file_that_outlived_its_window_is_offered(
    files: ProjectFiles, asked: Asked, qtbot: QtBot
) -> None:
    files.new()
    edit(files)
    dead(files._document)
    again = ProjectFiles(Document(files), files._window)
    edit(again, 8)
    again._document.undo.setClean()
    asked.answer = Answer.Yes
    with qtbot.waitSignal(again.entered):
        again.new()
    assert len(asked.texts) == 1
    assert "never saved" in asked.texts[0]
    assert again._document.value("seed") == 7
    assert not again._document.undo.isClean()
    assert again._document.recoverable(), "it stays safe until it is saved"
    again._document.undo.undo()
    assert again._document.value("seed") is None


def test_a_project_without_a_file_that_is_not_wanted_is_asked_about_once(
    files: ProjectFiles, asked: Asked
) -> None:
    edit(files)
    dead(files._document)
    again = ProjectFiles(Document(files), files._window)
    asked.answer = Answer.No
    assert not again.offer_lost()
    assert not again.offer_lost()
    assert len(asked.texts) == 1


def test_what_another_window_has_open_is_not_lost(files: ProjectFiles, asked: Asked) -> None:
    edit(files)
    other = ProjectFiles(Document(files), files._window)
    other.new()
    edit(other, 8)
    assert asked.texts == []
    assert files._document.recoverable()
    assert files._document.swap_path != other._document.swap_path
