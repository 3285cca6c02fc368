"""The launch panel: a method by its card, a preset, the settings, and the way to a run."""

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.bound_form import change_in
from app.edits import Document
from app.engine import Engine
from app.fault_line import FaultLine
from app.fields import NumberField
from app.launch import (
    DEFAULT_METHOD,
    Preset,
    card_of,
    left_behind,
    method_of,
    recipe_in_use,
    recipe_values,
)
from app.panels.job_settings import JobSettings
from app.panels.launch_bar import LaunchBar
from app.panels.method_cards import MethodCards
from app.panels.presets import PresetRow
from app.panels.problem import NoticeBar
from app.project import REMOVE
from app.setting import Setting
from core.errors import BadInput

SETTLE_MS = 100
SEED = Setting(
    ("seed",), "integer", "Seed", "", "Another seed draws other crops and other first weights",
    default=0, least=0, below=2**31,
)  # fmt: skip


class MethodPanel(QWidget):
    """Asks the engine what there is, shows it, and edits the project.

    `start_requested` comes with a press of Start; `bar.run_folder` is where the run is to be.
    """

    start_requested = Signal()

    def __init__(self, document: Document, engine: Engine, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document, self._engine = document, engine
        self._faults: list[str] = []
        self._described = False
        self._methods: Mapping[str, Any] = {}
        self._recipes: Mapping[str, Preset] = {}
        self._schema: Mapping[str, Any] = {}
        self.notice = NoticeBar()
        self.notice.acted.connect(lambda _: self.ask())
        self.waiting = QLabel(self.tr("Asking the engine what it can do…"))
        self.name = QLineEdit()
        self.seed = NumberField(SEED)
        self.seed_fault = FaultLine(self.seed.control)
        self.device = QComboBox()
        self.presets = PresetRow(document)
        self.cards = MethodCards()
        self.settings = JobSettings(document)
        self.bar = LaunchBar(document, engine)
        self._settled = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._settled.timeout.connect(self.check)
        self._lay_out()
        self._connect()
        self._refresh(())
        self.check()

    def ask(self) -> None:
        """Ask the engine what it can do; the panel fills when it answers."""
        self.waiting.setVisible(not self._described)
        self._engine.describe()

    @property
    def faults(self) -> list[str]:
        """What preflight found that makes a run meaningless, in sentences."""
        return self._faults

    @faults.setter
    def faults(self, faults: Sequence[str]) -> None:
        self._faults = list(faults)
        self.check()

    def check(self) -> None:
        """Find out anew whether the run can start, and say why not."""
        self._settled.stop()
        self.bar.set_faults(self._obstacles())
        self.bar.refresh()

    def _obstacles(self) -> list[str]:
        own = [self.seed_fault.fault] if self.seed_fault.fault else []
        found = [*self._document.project.missing(), *self._faults, *own, *self.settings.faults]
        if not self._described:
            found.append(self.tr("the engine has not yet said what it can do"))
        elif method_of(self._document.project) not in self._methods:
            name = method_of(self._document.project)
            found.append(self.tr("there is no method called {0}; choose one of the cards").format(name))
        if not found:
            try:
                self._document.project.job()
            except BadInput as fault:
                found.append(str(fault))
        return list(dict.fromkeys(found))

    def _start(self) -> None:
        self.check()
        if self.bar.start_action.isEnabled():
            self.start_requested.emit()

    def _describe(self, description: Mapping[str, Any]) -> None:
        self._described = True
        self.waiting.hide()
        self.notice.dismiss()
        self._methods, self._schema = description["methods"], description["job"]
        self._recipes = description.get("recipes", {})
        self.cards.describe(description, DEFAULT_METHOD)
        self.presets.describe(description)
        self.settings.describe(description)
        self.settings.show()
        devices = ["auto", *description["devices"]]
        self.device.clear()
        for device in devices:
            self.device.addItem(self._device_words(device), device)
        self._refresh(())

    def _on_failure(self, sentence: str) -> None:
        self.waiting.hide()
        self.notice.show_notice(sentence, "problem", action=self.tr("Ask again"))

    def _refresh(self, keys: tuple[object, ...]) -> None:
        first = keys[0] if keys else None
        if first in (None, "name") and self.name.text() != (
            name := str(self._document.value("name", default=""))
        ):
            self.name.setText(name)
        if first in (None, "seed"):
            self.seed.show_value(self._document.value("seed", default=0))
            self._judge_seed()
        self._show_card()
        if first in (None, "schedule"):
            self._show_device(str(self._document.value("schedule", "device", default="auto")))
        self._settled.start()

    def _show_card(self) -> None:
        if self._described:
            project = self._document.project
            self.cards.set_current(card_of(project, self._recipes, self._schema))
            self.cards.tick(recipe_in_use(project, self._recipes, self._schema))

    def _show_device(self, device: str) -> None:
        if self.device.findData(device) < 0:
            self.device.addItem(self._device_words(device), device)
        self.device.setCurrentIndex(self.device.findData(device))

    def _device_words(self, device: str) -> str:
        kind, _, index = device.partition(":")
        words = {
            "auto": self.tr("Automatic"),
            "cpu": self.tr("Processor (cpu)"),
            "mps": self.tr("Apple GPU (mps)"),
            "cuda": self.tr("NVIDIA GPU {0} (cuda)").format(index).replace("  ", " "),
        }
        return words.get(kind, device)

    def _choose(self, method: str) -> None:
        # The options of one method mean nothing to another.
        content = {"name": method, "options": {}}
        gone = left_behind(self._document.project, self._recipes, self._schema)
        self._document.change(self.tr("Choose the method {0}").format(method), gone | {("method",): content})

    def _take(self, recipe: str) -> None:
        """Set what the recipe sets, as one undo step."""
        label = str(self._recipes[recipe]["label"])
        edit = recipe_values(self._recipes[recipe], self._schema)
        self._document.change(self.tr("Take the setting {0}").format(label), edit)
        self._show_card()

    def _set_name(self, text: str) -> None:
        self._document.change(self.tr("Name the project"), {("name",): text.strip() or REMOVE}, "name")

    def _set_seed(self) -> None:
        self._judge_seed()
        if self.seed_fault.fault:
            self.check()
        else:
            value = self.seed.value() or REMOVE
            self._document.change(self.tr("Set the seed"), {("seed",): value}, "seed")
            self._settled.start()

    def _judge_seed(self) -> None:
        try:
            self.seed.value()
            self.seed_fault.say("")
        except ValueError as reason:
            self.seed_fault.say(self.tr("Seed {0}").format(reason))

    def _set_device(self) -> None:
        device = self.device.currentData()
        value = REMOVE if device == "auto" else device
        change_in(self._document, self.tr("Choose the device"), ("schedule",), ("device",), value)

    def _connect(self) -> None:
        self._engine.described.connect(self._describe)
        self._engine.describing_failed.connect(self._on_failure)
        self._document.changed.connect(self._refresh)
        self.cards.chosen.connect(self._choose)
        self.cards.taken.connect(self._take)
        self.settings.faults_changed.connect(self._settled.start)
        self.name.textEdited.connect(self._set_name)
        self.seed.edited.connect(self._set_seed)
        self.device.activated.connect(lambda _: self._set_device())
        self.bar.started.connect(self._start)
        if self._engine.description:
            self._describe(self._engine.description)

    def _lay_out(self) -> None:
        content = QWidget()
        inner = QVBoxLayout(content)
        for widget in (self._head(), self.seed_fault, self.presets, self.cards, self.waiting, self.settings):
            inner.addWidget(widget)
        inner.addStretch()
        self.settings.hide()
        scroll = QScrollArea(widgetResizable=True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setWidget(content)
        scroll.setAccessibleName(self.tr("Method and settings"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.notice)
        layout.addWidget(scroll, 1)
        layout.addWidget(self.bar)

    def _head(self) -> QWidget:
        self.name.setAccessibleName(self.tr("Name"))
        self.name.setToolTip(self.tr("Names the project, and the folders of its runs"))
        self.device.setAccessibleName(self.tr("Device"))
        self.device.setToolTip(
            self.tr("What computes (automatic: the fastest there is); runs on the same device wait in turn")
        )
        self.name.setMinimumWidth(60)
        self.device.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.device.setMinimumContentsLength(6)
        head = QWidget()
        row = QHBoxLayout(head)
        row.setContentsMargins(0, 0, 0, 0)
        for text, control, stretch in (
            (self.tr("&Name"), self.name, 2),
            (self.tr("&Device"), self.device, 2),
            (self.tr("S&eed"), self.seed, 1),
        ):
            form = QFormLayout()
            form.addRow(text, control)
            row.addLayout(form, stretch)
        return head
