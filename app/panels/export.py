"""Taking a run home: which scenes, which model's, which parts, how cleaned, to which folder."""

from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.command import Command
from app.panels.cleaning import CleaningBox
from app.panels.said import SaidLine
from app.run_words import work_left
from core.delivery.order import drop_unfinished, parts_made
from core.delivery.parts import PARTS, REPORT, Part
from core.events import AnyEvent
from core.judging.comparison import Outcome
from core.progress import Progress
from core.runs.map_files import OPTIONAL
from core.terms import Which

PARTS_A_ROW = 4
SIZE_PX, SCENES_PX = (560, 440), 80


class ExportDialog(QDialog):
    """Runs `isthmus export` in a process; closing it meanwhile cancels. `exported` carries the folder."""

    exported = Signal(object)

    def __init__(self, outcome: Outcome, to: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Export {0}").format(outcome.folder.name))
        self._outcome, self._progress = outcome, Progress()
        self._to, self._making = to, list[Part]()
        self._leaving = False
        self.engine = Command(self)
        self.engine.heard.connect(self._hear)
        self.engine.ended.connect(self._end)
        self.inputs = QWidget(self)
        self.scenes = self._scene_list()
        self.which = self._model_choice()
        self.parts = self._part_ticks()
        self.cleaning = CleaningBox(self.inputs)
        self.folder = QLineEdit(str(to), self.inputs)
        self.folder.setAccessibleName(self.tr("Folder"))
        self.folder.setToolTip(self.tr("Made where it is not there; files of the same name are replaced"))
        self.bar = QProgressBar(self, maximum=1000)
        self.bar.setAccessibleName(self.tr("Progress of the export"))
        self.said = SaidLine(self.tr("What came of it"), self)
        self._lay_out()
        self._enable()

    def start(self) -> None:
        """Make what is ticked."""
        self._to, self._making = Path(self.folder.text().strip()).expanduser(), self._ticked_parts()
        self._progress = Progress()
        self.bar.setValue(0)
        self.said.say(self.tr("The engine is starting..."))
        words = ["export", str(self._outcome.folder), "--to", str(self._to)]
        words += ["--which", self.which.currentData()]
        words += [word for stem in self._ticked_scenes() for word in ("--scene", stem)]
        words += [word for part in self._making for word in ("--part", part)]
        self.engine.start(*words, *self.cleaning.words())
        self._enable()

    def cancel(self) -> None:
        """Stop; no half-written file stays."""
        if self.engine.working:
            self.said.say(self.tr("The engine is being stopped..."))
            self.engine.stop()

    def reject(self) -> None:
        """Close, once the engine has ended: what it was writing goes first."""
        if self.engine.working:
            self._leaving = True
            self.cancel()
        else:
            super().reject()

    def _scene_list(self) -> QListWidget:
        scenes = QListWidget(self.inputs)
        scenes.setAccessibleName(self.tr("Scenes"))
        scenes.setToolTip(self.tr("The target scenes whose maps to export"))
        for stem in self._outcome.stems:
            item = QListWidgetItem(stem, scenes)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked)
        scenes.setMinimumHeight(SCENES_PX)
        scenes.itemChanged.connect(self._enable)
        return scenes

    def _model_choice(self) -> QComboBox:
        which = QComboBox(self.inputs)
        which.setAccessibleName(self.tr("Model"))
        which.setToolTip(self.tr("Whose maps: those of the model that the verdict chose, or of either"))
        words: dict[Which, str] = {
            "chosen": self.tr("chosen ({0})").format(self._outcome.verdict.get("chosen", "")),
            "source-only": self.tr("source-only"),
            "adapted": self.tr("adapted"),
        }
        stems = self._outcome.stems
        made = {each for stem in stems for each in self._outcome.models(stem)}
        for each, word in words.items():
            if each == "chosen" or each in made:
                which.addItem(word, each)
        which.currentIndexChanged.connect(self._enable)
        return which

    def _part_ticks(self) -> dict[Part, QCheckBox]:
        ticks: dict[Part, QCheckBox] = {}
        for part, (name, hint) in PARTS.items():
            tick = ticks[part] = QCheckBox(name, self.inputs)
            tick.setAccessibleName(name)
            tick.setToolTip(hint)
            tick.setChecked(True)
            tick.toggled.connect(self._enable)
        return ticks

    def _lay_out(self) -> None:
        browse = QPushButton(self.tr("&Browse..."), self.inputs)
        browse.setAccessibleName(self.tr("Browse for a folder"))
        browse.clicked.connect(self._browse)
        browse.setAutoDefault(False)
        row, parts = QHBoxLayout(), QGridLayout()
        row.addWidget(self.folder, 1)
        row.addWidget(browse)
        for number, tick in enumerate(self.parts.values()):
            parts.addWidget(tick, *divmod(number, PARTS_A_ROW))
        parts.setColumnStretch(PARTS_A_ROW, 1)
        form = QFormLayout(self.inputs)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow(self.tr("&Scenes"), self.scenes)
        form.addRow(self.tr("&Model"), self.which)
        form.addRow(self.tr("Parts"), parts)
        form.addRow(self.cleaning)
        label = QLabel(self.tr("&Folder"), self.inputs)
        label.setBuddy(self.folder)
        form.addRow(label, row)
        layout = QVBoxLayout(self)
        layout.addWidget(self.inputs, 1)
        layout.addWidget(self.bar)
        layout.addWidget(self.said)
        layout.addWidget(self._buttons())
        self.resize(*SIZE_PX)
        self.folder.textChanged.connect(self._enable)
        self.show_folder.setEnabled(False)
        self.show_report.setEnabled(False)

    def _buttons(self) -> QDialogButtonBox:
        box = QDialogButtonBox(self)
        role = QDialogButtonBox.ButtonRole.ActionRole
        self.go = box.addButton(self.tr("&Export"), role)
        self.go.clicked.connect(self.start)
        self.go.setDefault(True)
        self.stop = box.addButton(self.tr("Ca&ncel export"), role)
        self.stop.clicked.connect(self.cancel)
        self.show_folder = box.addButton(self.tr("&Open folder"), role)
        self.show_folder.clicked.connect(lambda: _open(self._to))
        self.show_report = box.addButton(self.tr("Open &report"), role)
        self.show_report.clicked.connect(lambda: _open(self._to / REPORT))
        box.addButton(QDialogButtonBox.StandardButton.Close)
        box.rejected.connect(self.reject)
        return box

    def _browse(self) -> None:
        found = QFileDialog.getExistingDirectory(self, self.tr("Export to"), self.folder.text())
        if found:
            self.folder.setText(found)

    def _ticked_scenes(self) -> list[str]:
        items = (self.scenes.item(row) for row in range(self.scenes.count()))
        return [item.text() for item in items if item.checkState() == Qt.CheckState.Checked]

    def _ticked_parts(self) -> list[Part]:
        return [part for part, tick in self.parts.items() if tick.isChecked()]

    def _enable(self) -> None:
        scenes, working = self._ticked_scenes(), self.engine.working
        self._offer_optional(scenes or self._outcome.stems)
        parts = self._ticked_parts()
        self.cleaning.set_parts(parts)
        self.inputs.setEnabled(not working)
        self.go.setEnabled(bool(scenes and parts and self.folder.text().strip()) and not working)
        self.stop.setEnabled(working)
        self.bar.setVisible(working)

    def _offer_optional(self, scenes: list[str]) -> None:
        made = parts_made(self._outcome.folder, self.which.currentData(), scenes)
        for part in OPTIONAL:
            tick, there = self.parts[part], part in made
            if there != tick.isEnabledTo(self.inputs):
                tick.setEnabled(there)
                tick.setChecked(there)
                hint = self.tr("The run made none: ask for it under Prediction before a run")
                tick.setToolTip(PARTS[part][1] if there else hint)

    def _hear(self, event: AnyEvent) -> None:
        self._progress.fold(event)
        if self._progress.work:
            what, done, total = self._progress.work
            self.bar.setValue(round(1000 * done / max(total, 1)))
            self.said.say(", ".join(filter(None, (what, work_left(self._progress)))))

    def _end(self, how: str, sentence: str) -> None:
        if how != "done":
            drop_unfinished(self._to, self._outcome.stems)
        told = {
            "done": self.tr("Everything is in {0}.").format(self._to),
            "stopped": self.tr("Cancelled; no half-written file was left."),
            "failed": sentence,
        }
        self.said.say(told[how])
        self._enable()
        self.show_folder.setEnabled(how == "done")
        self.show_report.setEnabled(how == "done" and "report" in self._making)
        if how == "done":
            self.exported.emit(self._to)
        if self._leaving:
            super().reject()


def _open(path: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
