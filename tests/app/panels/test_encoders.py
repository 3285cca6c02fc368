"""An encoder found by a part of its name; weights from a file."""

import threading
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from app.panels.encoders import FROM_FILE, NONE, NetworkChooser

ENCODERS = ["resnet18", "mit_b2", "tu-pvt_v2_b2", "tu-pvt_v2_b0"]


@pytest.fixture
def chooser(qtbot: QtBot) -> NetworkChooser:
    found = NetworkChooser()
    qtbot.addWidget(found)
    found.show()
    found.set_choices(ENCODERS, ["unet", "fpn"], {"mit_b": "non-commercial use only"})
    found.set_values("tu-pvt_v2_b2", "unet", "imagenet")
    return found


def retype(qtbot: QtBot, chooser: NetworkChooser, text: str) -> None:
    line = chooser.encoder.lineEdit()
    assert line is not None
    line.selectAll()
    qtbot.keyClicks(line, text)


def test_a_part_of_a_name_finds_encoders(chooser: NetworkChooser, qtbot: QtBot) -> None:
    retype(qtbot, chooser, "pvt")
    completer = chooser.encoder.completer()
    assert completer is not None
    found = completer.completionModel()
    names = [found.index(i, 0).data() for i in range(found.rowCount())]
    assert names == ["tu-pvt_v2_b2", "tu-pvt_v2_b0"]


def test_a_typed_name_is_taken_and_a_wrong_one_is_not(chooser: NetworkChooser, qtbot: QtBot) -> None:
    changes: list[tuple[str, object]] = []
    chooser.changed.connect(lambda key, value: changes.append((key, value)))
    retype(qtbot, chooser, "resnet19")
    qtbot.keyClick(chooser.encoder.lineEdit(), Qt.Key.Key_Return)
    assert changes == []
    assert chooser.faults == ["The encoder 'resnet19' is unknown; did you mean resnet18?"]
    assert chooser.note.isVisible()
    retype(qtbot, chooser, "resnet18")
    qtbot.keyClick(chooser.encoder.lineEdit(), Qt.Key.Key_Return)
    assert changes[0] == ("encoder", "resnet18")
    assert chooser.faults == []


def test_a_restrictive_licence_is_shown_with_the_choice(chooser: NetworkChooser) -> None:
    assert not chooser.note.isVisible()
    chooser.set_values("mit_b2", "unet", "imagenet")
    assert "non-commercial use only" in chooser.note.text()


def test_weights_from_a_file_nothing_or_imagenet(
    chooser: NetworkChooser, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.safetensors"
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    with qtbot.waitSignal(chooser.changed) as changed:
        chooser.weights.activated.emit(FROM_FILE)
    assert changed.args == ["weights", str(path)]
    chooser.set_values("resnet18", "unet", str(path))
    qtbot.waitUntil(lambda: bool(chooser.faults))
    assert "does not exist" in chooser.faults[0]
    path.touch()
    chooser.set_values("resnet18", "unet", str(path))
    with qtbot.waitSignal(chooser.faults_changed):
        pass
    assert chooser.faults == []
    assert chooser.weights.currentText() == "mine.safetensors"
    with qtbot.waitSignal(chooser.changed) as changed:
        chooser.weights.activated.emit(NONE)
    assert changed.args == ["weights", None]


def test_a_disk_that_does_not_answer_holds_nothing_up(
    chooser: NetworkChooser, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = threading.Event()
    monkeypatch.setattr(Path, "is_file", lambda _: answer.wait(10) and False)
    chooser.set_values("resnet18", "unet", "/dead/mine.safetensors")
    assert (chooser.faults, answer.is_set()) == ([], False)
    answer.set()
    qtbot.waitUntil(lambda: "does not exist" in chooser.note.text())


def test_what_is_typed_is_judged_at_once(chooser: NetworkChooser, qtbot: QtBot) -> None:
    with qtbot.waitSignal(chooser.faults_changed):
        retype(qtbot, chooser, "resnet19")


def test_a_cancelled_file_dialog_changes_nothing(
    chooser: NetworkChooser, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    chooser.weights.setCurrentIndex(FROM_FILE)
    with qtbot.assertNotEmitted(chooser.changed):
        chooser.weights.activated.emit(FROM_FILE)
    assert chooser.weights.currentText().startswith("ImageNet")


def test_a_decoder_of_a_newer_engine_is_shown_as_it_is(chooser: NetworkChooser) -> None:
    chooser.set_values("resnet18", "new one", "imagenet")
    assert chooser.decoder.currentText() == "new one"
