"""The launch panel, driven as a user does, on a small description of the engine."""

import shlex
from pathlib import Path

import pytest
from described import STATISTICS, Quiet, described, ready, unnamed
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from app.edits import Document
from app.panels.method import MethodPanel
from core.cost import Cost


@pytest.fixture
def document(qtbot: QtBot, tmp_path: Path) -> Document:  # noqa: ARG001  # an application must be there
    return ready(tmp_path)


@pytest.fixture
def panel(qtbot: QtBot, document: Document) -> MethodPanel:
    found = shown(qtbot, document)
    found._engine.described.emit(described())
    found.check()
    return found


def shown(qtbot: QtBot, document: Document) -> MethodPanel:
    found = MethodPanel(document, Quiet())
    found.bar.estimate.automatic = False
    qtbot.addWidget(found)
    found.resize(700, 900)
    found.show()
    return found


def test_a_complete_project_can_be_started(panel: MethodPanel, qtbot: QtBot) -> None:
    assert panel.bar.start.isEnabled()
    with qtbot.waitSignal(panel.start_requested):
        qtbot.mouseClick(panel.bar.start, Qt.MouseButton.LeftButton)


@pytest.mark.parametrize(
    ("keys", "value", "reason"),
    [
        (("source", "scenes"), [], "the source has no image"),
        (("schedule",), {"steps": 0}, "Steps must be at least 1"),
        (("network",), {"encoder": "resnet19"}, "The encoder 'resnet19' is unknown"),
        (("method",), {"name": "combine"}, "there is no method called combine"),
        (("predict",), {"mode": "blur"}, "Mode must be one of blend, crop"),
        (("target", "colour"), "blue", "unknown key"),
    ],
)
def test_what_stands_in_the_way_is_said(
    panel: MethodPanel, document: Document, keys: tuple[str, ...], value: object, reason: str
) -> None:
    document.change("x", {keys: value})
    panel.check()
    assert not panel.bar.start.isEnabled()
    assert reason in panel.bar.reason.text()
    document.undo.undo()
    panel.check()
    assert panel.bar.start.isEnabled()
    assert panel.bar.reason.text() == ""


def test_faults_of_preflight_disable_the_start(panel: MethodPanel) -> None:
    panel.faults = ["b.tif: has no CRS; assign one", "a.tif: is empty; choose another"]
    assert not panel.bar.start.isEnabled()
    assert panel.bar.reason.text() == "⚠ Cannot start: b.tif: has no CRS; assign one (1 more)"
    assert panel.bar.start.toolTip().splitlines() == panel.faults
    panel.faults = []
    assert panel.bar.start.isEnabled()


def test_a_disk_that_is_too_small_disables_the_start(panel: MethodPanel, document: Document) -> None:
    line = panel.bar.estimate
    small = Cost(
        device="cpu", phases=[], judging_s=0, maps_s=0, tiles=1, memory_gib=9, memory_there_gib=8,
        disk_gib=1e9, disk_free_gib=0,
    )  # fmt: skip
    line._on_answer(small.content())
    assert not panel.bar.start.isEnabled()
    assert "Cannot start: the run writes up to 1000000000.0 GiB" in panel.bar.reason.text()
    assert "estimate again" in panel.bar.start.toolTip()
    panel.check()
    assert not panel.bar.start.isEnabled()
    assert line.ask.isEnabled(), "it can be asked again, once there is room"
    line._on_answer((small.model_copy(update={"disk_gib": 0})).content())
    assert panel.bar.start.isEnabled(), "memory that may not do is a warning"
    line._on_answer(small.content())
    document.change("x", {("schedule", "steps"): 7})
    panel.check()
    assert panel.bar.start.isEnabled(), "of another project nothing is known yet"


def test_an_edit_is_judged_without_being_asked(panel: MethodPanel, document: Document, qtbot: QtBot) -> None:
    document.change("x", {("source", "scenes"): []})
    qtbot.waitUntil(lambda: not panel.bar.start.isEnabled())


def test_choosing_a_method_is_one_undoable_edit(panel: MethodPanel, document: Document, qtbot: QtBot) -> None:
    document.change("x", {("method", "options", "blur"): 0.1})
    qtbot.mouseClick(panel.cards.cards["adabn"], Qt.MouseButton.LeftButton)
    assert document.value("method") == {"name": "adabn", "options": {}}
    assert document.undo.undoText() == "Choose the method adabn"
    assert [keys for keys in panel.settings.forms["options"].rows] == [("batches",)]
    document.undo.undo()
    assert panel.cards.cards["combined"].radio.isChecked()
    assert panel.settings.forms["options"].rows[("blur",)].is_changed


def test_a_method_without_options_shows_no_form(panel: MethodPanel, document: Document) -> None:
    document.change("x", {("method",): {"name": "source_only"}})
    assert not panel.settings.sections["options"].isVisible()
    document.undo.undo()
    assert panel.settings.sections["options"].isVisible()


def test_typing_in_a_form_is_one_undo_step(panel: MethodPanel, document: Document, qtbot: QtBot) -> None:
    panel.settings.sections["schedule"].set_open(True)
    control = panel.settings.forms["schedule"].rows[("steps",)].field.control
    qtbot.keyClick(control, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClicks(control, "750")
    assert document.value("schedule") == {"steps": 750}
    assert (document.undo.count(), document.undo.undoText()) == (1, "Set steps")
    document.undo.undo()
    assert not panel.settings.forms["schedule"].rows[("steps",)].is_changed


def test_a_default_is_not_written(panel: MethodPanel, document: Document, qtbot: QtBot) -> None:
    document.change("x", {("schedule", "steps"): 750})
    row = panel.settings.forms["schedule"].rows[("steps",)]
    panel.settings.sections["schedule"].set_open(True)
    qtbot.mouseClick(row.back, Qt.MouseButton.LeftButton)
    assert document.value("schedule") == {}
    document.undo.undo()
    qtbot.keyClick(row.field.control, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClicks(row.field.control, "2000")
    assert document.value("schedule") == {}


def test_a_part_that_is_nothing_in_the_file_gives_way(panel: MethodPanel, document: Document) -> None:
    document.change("x", {("schedule",): None})
    panel.settings.forms["schedule"].changed.emit(("steps",), 10)
    assert document.value("schedule") == {"steps": 10}


def test_a_preset_is_one_undo_step_and_shows_itself(
    panel: MethodPanel, document: Document, qtbot: QtBot
) -> None:
    buttons = panel.presets.buttons
    assert buttons["standard"].isChecked()
    assert "sampling.crop_px: 128" in buttons["quick"].toolTip()
    qtbot.mouseClick(buttons["quick"], Qt.MouseButton.LeftButton)
    assert document.value("schedule", "steps") == 300
    assert document.value("sampling", "crop_px") == 128
    assert (buttons["quick"].isChecked(), buttons["standard"].isChecked()) == (True, False)
    assert panel.presets.line.text() == "Minutes."
    document.undo.undo()
    assert buttons["standard"].isChecked()
    document.change("x", {("schedule", "steps"): 77})
    assert not any(button.isChecked() for button in buttons.values())
    assert panel.presets.line.text() == "Settings of your own"


def test_a_recipe_is_one_undo_step_and_is_ticked(panel: MethodPanel, document: Document) -> None:
    document.change("x", {("network",): {"decoder_channels": [8, 8]}})
    document.change("x", {("method",): {"name": "combined", "options": {"warm_share": 0.1}}})
    action = panel.cards.cards["combined"].recipes["overhead/combined"]
    assert not action.isChecked()
    before = document.undo.count()
    action.trigger()
    assert document.undo.count() == before + 1
    assert document.undo.undoText() == "Take the setting Combined, overhead"
    assert document.value("method") == {"name": "combined", "options": {"blur": 0.1}}
    assert document.value("schedule", "steps") == 900
    assert document.value("network") == {"encoder": "resnet18"}
    assert panel.settings.forms["options"].rows[("blur",)].is_changed
    assert action.isChecked()
    action.trigger()
    assert action.isChecked(), "taken once more, it is still in use"
    document.undo.undo()
    assert document.value("network") == {"decoder_channels": [8, 8]}
    assert document.value("method", "options") == {"warm_share": 0.1}
    assert not action.isChecked()


def test_choosing_a_method_takes_back_the_recipe_in_use_and_nothing_else(
    panel: MethodPanel, document: Document, qtbot: QtBot
) -> None:
    document.change("x", {("sampling", "crop_px"): 64})
    panel.cards.cards["combined"].recipes["overhead/combined"].trigger()
    panel.cards.families[STATISTICS].set_open(True)
    qtbot.mouseClick(panel.cards.cards["adabn"], Qt.MouseButton.LeftButton)
    assert (document.value("schedule"), document.value("network")) == ({}, {})
    assert document.value("sampling") == {"crop_px": 64}
    document.undo.undo()
    document.change("x", {("schedule", "steps"): 901})
    qtbot.mouseClick(panel.cards.cards["adabn"], Qt.MouseButton.LeftButton)
    assert document.value("schedule") == {"steps": 901}, "it is the user's own by now"


def test_a_recipes_own_card_is_chosen_and_left_by_what_tells_it(
    panel: MethodPanel, document: Document, qtbot: QtBot
) -> None:
    card = panel.cards.cards["dilated"]
    panel.cards.families["Self-training"].set_open(True)
    qtbot.mouseClick(card, Qt.MouseButton.LeftButton)
    assert document.value("network") == {"output_stride": 8}
    assert card.radio.isChecked()
    document.change("x", {("method", "options", "blur"): 0.2})
    assert card.radio.isChecked(), "an option more does not make it another method"
    document.undo.undo()
    qtbot.mouseClick(panel.cards.cards["combined"], Qt.MouseButton.LeftButton)
    assert document.value("network") == {}
    assert panel.cards.cards["combined"].radio.isChecked()
    document.undo.undo()
    assert card.radio.isChecked()


def test_a_recipes_card_is_no_method_to_write_into_a_job(panel: MethodPanel, document: Document) -> None:
    document.change("x", {("method",): {"name": "dilated"}})
    panel.check()
    assert "there is no method called dilated" in panel.bar.reason.text()


def test_an_engine_without_presets_shows_none(qtbot: QtBot, document: Document) -> None:
    panel = shown(qtbot, document)
    panel._engine.described.emit({key: value for key, value in described().items() if key != "presets"})
    assert not panel.presets.isVisible()
    assert panel.cards.isVisible()


def test_name_seed_and_device_are_edited(panel: MethodPanel, document: Document, qtbot: QtBot) -> None:
    panel.name.selectAll()
    qtbot.keyClicks(panel.name, "north")
    panel.seed.box.lineEdit().selectAll()
    qtbot.keyClicks(panel.seed.box.lineEdit(), "12")
    qtbot.keyClick(panel.device, Qt.Key.Key_End)
    assert document.value("name") == "north"
    assert document.value("seed") == 12
    assert document.value("schedule", "device") == "cuda:0"
    qtbot.keyClick(panel.device, Qt.Key.Key_Home)
    assert document.value("schedule") == {}
    panel.check()
    assert panel.bar.folder.text().endswith("north-combined-s12")


def test_a_seed_that_cannot_be_used_is_marked_and_nothing_starts(
    panel: MethodPanel, document: Document, qtbot: QtBot
) -> None:
    line = panel.seed.box.lineEdit()
    line.selectAll()
    qtbot.keyClicks(line, "-3")
    assert document.value("seed", default=0) == 0
    assert panel.seed_fault.isVisible()
    assert panel.seed_fault.text() == "⚠ Seed must be at least 0, below 2147483648"
    assert panel.seed.control.accessibleDescription() == panel.seed_fault.fault
    assert not panel.bar.start.isEnabled()
    assert "Seed must be" in panel.bar.reason.text()
    line.selectAll()
    qtbot.keyClicks(line, "3")
    panel.check()
    assert not panel.seed_fault.isVisible()
    assert panel.bar.start.isEnabled()


def test_a_wrong_seed_goes_with_the_edit_that_is_undone(
    panel: MethodPanel, document: Document, qtbot: QtBot
) -> None:
    document.change("x", {("seed",): 5})
    panel.seed.box.lineEdit().selectAll()
    qtbot.keyClicks(panel.seed.box.lineEdit(), "x")
    assert panel.seed_fault.fault
    document.undo.undo()
    panel.check()
    assert (panel.seed.box.lineEdit().text(), panel.seed_fault.fault) == ("0", "")
    assert panel.bar.start.isEnabled()


def test_a_device_that_is_not_here_is_shown(panel: MethodPanel, document: Document) -> None:
    document.change("x", {("schedule", "device"): "cuda:7"})
    assert panel.device.currentData() == "cuda:7"


def test_network_choices_are_edits(panel: MethodPanel, document: Document, qtbot: QtBot) -> None:
    panel.settings.sections["network"].set_open(True)
    qtbot.keyClick(panel.settings.network.decoder, Qt.Key.Key_Down)
    assert document.value("network") == {"decoder": "fpn"}
    assert document.undo.undoText() == "Choose the decoder"
    panel.settings.network.changed.emit("weights", None)
    assert document.value("network", "weights", default=0) is None


def test_the_command_starts_the_same_run(panel: MethodPanel, document: Document, qtbot: QtBot) -> None:
    qtbot.mouseClick(panel.bar.copy, Qt.MouseButton.LeftButton)
    words = shlex.split(QGuiApplication.clipboard().text())
    assert words == [
        "isthmus",
        "run",
        str(document.project.path),
        "--to",
        str(panel.bar.run_folder),
    ]
    document.change("x", {("seed",): 5})
    assert not panel.bar.copy.isEnabled()
    assert "Save the project first" in panel.bar.copy.toolTip()
    document.save()
    assert panel.bar.copy.isEnabled()


def test_before_the_engine_answers_the_panel_says_so(qtbot: QtBot, document: Document) -> None:
    panel = shown(qtbot, document)
    panel.ask()
    panel.check()
    assert panel.waiting.isVisible()
    assert not panel.bar.start.isEnabled()
    panel._engine.describing_failed.emit("the engine was killed; free some memory")
    assert panel.notice.text.text() == "Problem: the engine was killed; free some memory"
    qtbot.mouseClick(panel.notice.action, Qt.MouseButton.LeftButton)
    assert panel._engine.asked == 2  # type: ignore[attr-defined]


def test_another_project_fills_the_panel_anew(panel: MethodPanel, document: Document, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text("name: other\nseed: 4\nmethod: {name: adabn, options: {batches: 3}}\n")
    document.open(other)
    assert (panel.name.text(), panel.seed.box.lineEdit().text()) == ("other", "4")
    assert panel.cards.cards["adabn"].radio.isChecked()
    assert panel.settings.forms["options"].rows[("batches",)].is_changed


def test_every_control_is_named(panel: MethodPanel) -> None:
    for section in panel.settings.sections.values():
        section.set_open(True)
    for family in panel.cards.families.values():
        family.set_open(True)
    assert unnamed(panel) == []
