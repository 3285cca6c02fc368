"""The export dialog over a recorded run: what is ticked is copied, with progress, or not at all."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from recorded import run_folder

from app.panels.export import ExportDialog
from core import export as core_export
from core.comparison import read_outcome


@pytest.fixture
def dialog(tmp_path: Path, qtbot: QtBot) -> ExportDialog:
    outcome = read_outcome(run_folder("finished", tmp_path / "run"))
    made = ExportDialog(outcome, tmp_path / "out")
    qtbot.addWidget(made)
    made.show()
    return made


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_maps_are_copied_byte_for_byte(dialog: ExportDialog, tmp_path: Path, qtbot: QtBot) -> None:
    with qtbot.waitSignal(dialog.exported) as said:
        qtbot.mouseClick(dialog.go, Qt.MouseButton.LeftButton)
    assert said.args == [tmp_path / "out"]
    assert names(tmp_path / "out") == ["target.class.tif", "target.confidence.tif"]
    for path in (tmp_path / "out").iterdir():
        assert path.read_bytes() == (tmp_path / "run" / "maps" / path.name).read_bytes()
    assert str(tmp_path / "out") in dialog.said.text()
    assert dialog.show_folder.isEnabled()


def test_only_what_is_ticked_of_the_model_that_is_named(
    dialog: ExportDialog, tmp_path: Path, qtbot: QtBot
) -> None:
    dialog.parts["confidence"].click()
    dialog.which.setCurrentIndex(dialog.which.findData("source-only"))
    with qtbot.waitSignal(dialog.exported):
        dialog.go.click()
    (path,) = (tmp_path / "out").iterdir()
    made = tmp_path / "run" / "maps" / "source-only" / "target.class.tif"
    assert path.read_bytes() == made.read_bytes()


def test_nothing_ticked_cannot_be_exported(dialog: ExportDialog) -> None:
    assert dialog.go.isEnabled()
    dialog.scenes.item(0).setCheckState(Qt.CheckState.Unchecked)
    assert not dialog.go.isEnabled()
    dialog.scenes.item(0).setCheckState(Qt.CheckState.Checked)
    dialog.folder.clear()
    assert not dialog.go.isEnabled()


def test_cancelling_leaves_no_half_written_file(
    dialog: ExportDialog, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core_export, "CHUNK_BYTES", 1)
    dialog.start()
    dialog.cancel()
    qtbot.waitUntil(lambda: "Cancelled" in dialog.said.text())
    assert not [path for path in tmp_path.rglob("*.partial*")]
    assert not (tmp_path / "out" / "target.confidence.tif").exists()
    assert dialog.go.isEnabled()


def test_a_folder_that_cannot_be_written_is_said(dialog: ExportDialog, tmp_path: Path, qtbot: QtBot) -> None:
    (tmp_path / "out").write_text("a file")
    dialog.go.click()
    qtbot.waitUntil(lambda: "cannot be written" in dialog.said.text())
    assert dialog.go.isEnabled()
