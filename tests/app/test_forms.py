"""A form filled in by keyboard and mouse."""

from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.forms import SchemaForm
from core.job import Network, Sampling, Schedule


class Inner(BaseModel):
    width_px: int = Field(64, ge=8)


class Nested(BaseModel):
    inner: Inner = Inner()
    mode: Literal["a", "b"] = "a"


@pytest.fixture
def form(qtbot: QtBot) -> SchemaForm:
    return shown(qtbot, SchemaForm(Schedule.model_json_schema(), {"steps": 500}, basic=["steps", "lr"]))


def shown(qtbot: QtBot, form: SchemaForm) -> SchemaForm:
    qtbot.addWidget(form)
    form.show()
    return form


def heard(form: SchemaForm) -> list[tuple[tuple[str, ...], Any]]:
    changes: list[tuple[tuple[str, ...], Any]] = []
    form.changed.connect(lambda keys, value: changes.append((keys, value)))
    return changes


def type_into(qtbot: QtBot, form: SchemaForm, key: str, text: str) -> None:
    control = form.rows[(key,)].field.control
    control.setFocus()
    qtbot.keyClick(control, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(control, Qt.Key.Key_Delete)
    qtbot.keyClicks(control, text)


def text(form: SchemaForm, key: str) -> str:
    control: Any = form.rows[(key,)].field.control
    return str(control.lineEdit().text() if hasattr(control, "lineEdit") else control.text())


def test_values_and_defaults_are_shown_and_nothing_is_said(form: SchemaForm) -> None:
    assert (text(form, "steps"), text(form, "lr")) == ("500", "0.0001")
    assert form.faults == []


def test_a_small_number_is_typed_as_people_write_it(form: SchemaForm, qtbot: QtBot) -> None:
    changes = heard(form)
    type_into(qtbot, form, "lr", "5e-5")
    assert changes[-1] == (("lr",), 5e-5)
    form.set_values({"lr": 5e-5})
    assert text(form, "lr") == "5e-5"


def test_a_wrong_value_says_why_and_is_not_passed_on(form: SchemaForm, qtbot: QtBot) -> None:
    changes = heard(form)
    with qtbot.waitSignal(form.faults_changed):
        type_into(qtbot, form, "steps", "0")
    row = form.rows[("steps",)]
    assert row.reason.isVisible()
    assert row.reason.text() == "⚠ Steps must be at least 1"
    assert form.faults == ["Steps must be at least 1"]
    assert changes == []
    with qtbot.waitSignal(form.faults_changed):
        type_into(qtbot, form, "steps", "100")
    assert not row.reason.isVisible()
    assert changes[-1] == (("steps",), 100)


def test_a_changed_value_is_marked_without_colour_and_reset(form: SchemaForm, qtbot: QtBot) -> None:
    row = form.rows[("steps",)]
    assert row.label.text() == "• Steps"
    assert row.label.font().bold()
    assert row.back.isVisible()
    assert "2000 steps" in row.back.toolTip()
    with qtbot.waitSignal(form.reset) as reset:
        qtbot.mouseClick(row.back, Qt.MouseButton.LeftButton)
    assert reset.args == [("steps",)]
    assert text(form, "steps") == "2000"
    assert (row.label.text(), row.back.isVisible()) == ("Steps", False)


def test_the_folded_rest_counts_its_changes(form: SchemaForm, qtbot: QtBot) -> None:
    section = form._sections[0]
    assert not form.rows[("optimizer",)].field.isVisible()
    form.set_values({"optimizer": "sgd"})
    assert section.heading.text().endswith(", 1 changed)")
    qtbot.mouseClick(section.heading, Qt.MouseButton.LeftButton)
    assert form.rows[("optimizer",)].field.isVisible()


def test_the_filter_finds_by_name_and_description(form: SchemaForm, qtbot: QtBot) -> None:
    qtbot.keyClicks(form.filter, "cpu threads")
    visible = [keys for keys, row in form.rows.items() if row.field.isVisible()]
    assert visible == [("threads",)]
    form.filter.setText("nothing like it")
    assert form.nothing.isVisible()
    form.filter.clear()
    assert form.rows[("lr",)].field.isVisible()
    assert not form.nothing.isVisible()


def test_arrow_keys_step_in_proportion(form: SchemaForm, qtbot: QtBot) -> None:
    changes = heard(form)
    control = form.rows[("lr",)].field.control
    qtbot.keyClick(control, Qt.Key.Key_Up)
    assert changes == [(("lr",), pytest.approx(1.1e-4))]


def test_choices_and_switches_are_set_by_keyboard(qtbot: QtBot) -> None:
    form = shown(qtbot, SchemaForm(Sampling.model_json_schema(), basic=["rare_classes"]))
    changes = heard(form)
    qtbot.keyClick(form.rows[("rare_classes",)].field.control, Qt.Key.Key_Space)
    assert changes == [(("rare_classes",), False)]
    form = shown(qtbot, SchemaForm(Schedule.model_json_schema(), basic=["optimizer"]))
    changes = heard(form)
    qtbot.keyClick(form.rows[("optimizer",)].field.control, Qt.Key.Key_Down)
    assert changes == [(("optimizer",), "sgd")]


def test_nothing_means_automatic(qtbot: QtBot) -> None:
    form = shown(qtbot, SchemaForm(Network.model_json_schema(), {"decoder_channels": [64, 32]}))
    for section in form._sections:
        section.set_open(True)
    changes = heard(form)
    type_into(qtbot, form, "decoder_channels", "64, 48")
    assert changes[-1] == (("decoder_channels",), [64, 48])
    form.set_values({})
    assert text(form, "decoder_channels") == ""
    stride: Any = form.rows[("output_stride",)].field.control
    assert stride.currentText() == "automatic"


def test_wrong_values_of_a_file_are_shown_with_the_reason(qtbot: QtBot) -> None:
    form = shown(qtbot, SchemaForm(Schedule.model_json_schema(), {"steps": "many", "optimizer": "adam"}))
    assert text(form, "steps") == "many"
    assert form.faults == [
        "Steps must be a number, such as 0.001 or 1e-3",
        "Optimizer must be one of adamw, sgd, nesterov",
    ]
    form.set_values({})
    assert form.faults == []
    optimizer: Any = form.rows[("optimizer",)].field.control
    assert optimizer.count() == 3


def test_groups_within_are_edited_by_their_path(qtbot: QtBot) -> None:
    form = shown(qtbot, SchemaForm(Nested.model_json_schema(), {"inner": {"width_px": 32}}))
    changes = heard(form)
    form._sections[0].set_open(True)
    control = form.rows[("inner", "width_px")].field.control
    assert form._sections[0].heading.text() == "Inner (1, 1 changed)"
    qtbot.keyClick(control, Qt.Key.Key_Up)
    assert changes == [(("inner", "width_px"), 33)]


def test_an_optional_group_is_put_in_use_and_out_of_it(qtbot: QtBot) -> None:
    form = shown(qtbot, SchemaForm(Network.model_json_schema(), {}))
    changes = heard(form)
    switch, scale = form.rows[("multi_resolution",)], form.rows[("multi_resolution", "scale")]
    assert not scale.field.isEnabled()
    assert form.faults == []
    next(section for section in form._sections if section.isAncestorOf(switch.field)).set_open(True)
    qtbot.keyClick(switch.field.control, Qt.Key.Key_Space)
    assert changes == [(("multi_resolution",), {})]
    assert scale.field.isEnabled()
    form.set_values({"multi_resolution": {"scale": 4}})
    assert (switch.is_changed, scale.is_changed) == (True, True)
    qtbot.keyClick(switch.field.control, Qt.Key.Key_Space)
    assert changes[-1] == (("multi_resolution",), None)
    assert not scale.field.isEnabled()
    form.set_values({"multi_resolution": "yes"})
    assert form.faults == ["Multi resolution must be a group of settings, or nothing"]


def test_scrolling_over_a_field_changes_nothing(form: SchemaForm) -> None:
    changes = heard(form)
    form.filter.setFocus()
    for key in ("steps", "optimizer"):
        scroll(form.rows[(key,)].field.control)
    assert changes == []


def scroll(control: QWidget) -> None:
    """One notch of the wheel."""
    event = QWheelEvent(
        QPointF(5, 5),
        QPointF(control.mapToGlobal(QPoint(5, 5))),
        QPoint(),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(control, event)


def test_every_control_is_named_and_explained(form: SchemaForm) -> None:
    for row in form.rows.values():
        assert row.field.control.accessibleName()
        assert row.field.control.toolTip()
