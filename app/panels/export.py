"""Taking the maps of a run home: which scenes, which parts, to which folder."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event

from PySide6.QtCore import Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QCloseEvent, QDesktopServices
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
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

from app.background import Background
from core.comparison import Outcome
from core.events import Progressed
from core.export import export
from core.map_files import Part, Which

SHOW_MS = 100


class ExportDialog(QDialog):
    """Copies maps in the background; closing it while it copies cancels. `exported` carries the folder."""

    exported = Signal(object)

    def __init__(self, outcome: Outcome, to: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Export the maps of {0}").format(outcome.folder.name))
        self._outcome, self._background = outcome, Background(self)
        self._cancel, self._last = Event(), list[Progressed]()
        self._showing = QTimer(self, interval=SHOW_MS)
        self._showing.timeout.connect(self._show_progress)
        self.scenes = self._scene_list()
        self.which = self._model_choice()
        self.parts = self._part_ticks()
        self.folder = QLineEdit(str(to), self)
        self.folder.setAccessibleName(self.tr("Folder"))
        self.folder.setToolTip(self.tr("Made where it is not there; maps of the same name are replaced"))
        self.bar = QProgressBar(self, maximum=1000)
        self.bar.setAccessibleName(self.tr("Progress of the export"))
        self.said = QLabel(self, wordWrap=True)
        self.said.setTextFormat(Qt.TextFormat.PlainText)
        self.said.setAccessibleName(self.tr("What came of it"))
        self._lay_out()
        self._enable()

    def start(self) -> None:
        """Copy what is ticked."""
        self._cancel.clear()
        self._last.clear()
        self._set_busy(True)
        self.said.setText("")
        to = Path(self.folder.text().strip()).expanduser()
        copying = export(
            self._outcome.folder, to, self.which.currentData(), self._ticked_scenes(), self._ticked_parts()
        )
        work = _Copying(copying, self._cancel, self._last)
        self._background.run(work, lambda finished: self._done(to, finished), self._fail)

    def cancel(self) -> None:
        """Stop copying; no half-written file stays."""
        self._cancel.set()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.cancel()
        super().closeEvent(event)

    def reject(self) -> None:
        self.cancel()
        super().reject()

    def _scene_list(self) -> QListWidget:
        scenes = QListWidget(self)
        scenes.setAccessibleName(self.tr("Scenes"))
        scenes.setToolTip(self.tr("The target scenes whose maps to copy"))
        for stem in self._outcome.stems:
            item = QListWidgetItem(stem, scenes)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked)
        scenes.setMaximumHeight(140)
        scenes.itemChanged.connect(self._enable)
        return scenes

    def _model_choice(self) -> QComboBox:
        which = QComboBox(self)
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
        return which

    def _part_ticks(self) -> dict[Part, QCheckBox]:
        ticks: dict[Part, QCheckBox] = {
            "class": QCheckBox(self.tr("&Classes"), self),
            "confidence": QCheckBox(self.tr("Co&nfidence"), self),
        }
        ticks["class"].setToolTip(self.tr("One band of class ids with colours and names; 255 is no data"))
        ticks["confidence"].setToolTip(self.tr("Probability of the class, 0 to 1 by the band's scale"))
        for tick in ticks.values():
            tick.setAccessibleName(tick.text().replace("&", ""))
            tick.setChecked(True)
            tick.toggled.connect(self._enable)
        return ticks

    def _lay_out(self) -> None:
        browse = QPushButton(self.tr("&Browse..."), self)
        browse.setAccessibleName(self.tr("Browse for a folder"))
        browse.clicked.connect(self._browse)
        browse.setAutoDefault(False)
        row, parts = QHBoxLayout(), QHBoxLayout()
        row.addWidget(self.folder, 1)
        row.addWidget(browse)
        for tick in self.parts.values():
            parts.addWidget(tick)
        parts.addStretch()
        form = QFormLayout()
        form.addRow(self.tr("&Scenes"), self.scenes)
        form.addRow(self.tr("&Model"), self.which)
        form.addRow(self.tr("Parts"), parts)
        label = QLabel(self.tr("&Folder"), self)
        label.setBuddy(self.folder)
        form.addRow(label, row)
        box = QDialogButtonBox(self)
        self.go = box.addButton(self.tr("&Export"), QDialogButtonBox.ButtonRole.ActionRole)
        self.go.clicked.connect(self.start)
        self.go.setDefault(True)
        self.stop = box.addButton(self.tr("C&ancel export"), QDialogButtonBox.ButtonRole.ActionRole)
        self.stop.clicked.connect(self.cancel)
        self.show_folder = box.addButton(self.tr("&Open folder"), QDialogButtonBox.ButtonRole.ActionRole)
        self.show_folder.clicked.connect(self._open)
        box.addButton(QDialogButtonBox.StandardButton.Close)
        box.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(self.bar)
        layout.addWidget(self.said)
        layout.addWidget(box)
        self.resize(520, self.sizeHint().height())
        self.folder.textChanged.connect(self._enable)
        self._set_busy(False)
        self.show_folder.setEnabled(False)

    def _browse(self) -> None:
        found = QFileDialog.getExistingDirectory(self, self.tr("Export to"), self.folder.text())
        if found:
            self.folder.setText(found)

    def _open(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(Path(self.folder.text()).expanduser())))

    def _ticked_scenes(self) -> list[str]:
        items = (self.scenes.item(row) for row in range(self.scenes.count()))
        return [item.text() for item in items if item.checkState() == Qt.CheckState.Checked]

    def _ticked_parts(self) -> list[Part]:
        return [part for part, tick in self.parts.items() if tick.isChecked()]

    def _enable(self) -> None:
        wanted = self._ticked_scenes() and self._ticked_parts() and self.folder.text().strip()
        self.go.setEnabled(bool(wanted) and not self.stop.isEnabled())

    def _set_busy(self, busy: bool) -> None:
        self.stop.setEnabled(busy)
        self.bar.setVisible(busy)
        self.bar.setValue(0)
        if busy:
            self._showing.start()
        else:
            self._showing.stop()
        self._enable()

    def _show_progress(self) -> None:
        if self._last:
            said = self._last[-1]
            self.bar.setValue(round(1000 * said.done / max(said.total, 1)))

    def _done(self, to: Path, finished: bool) -> None:
        self._set_busy(False)
        self.show_folder.setEnabled(finished)
        if not finished:
            self.said.setText(self.tr("Cancelled; no half-written file was left."))
            return
        self.said.setText(self.tr("The maps are in {0}.").format(to))
        self.exported.emit(to)

    def _fail(self, sentence: str) -> None:
        self._set_busy(False)
        self.said.setText(sentence)


class _Copying:
    """Runs the copying off the window's thread; whether it came to its end."""

    def __init__(self, copying: Iterator[Progressed], cancel: Event, last: list[Progressed]) -> None:
        self._copying, self._cancel, self._last = copying, cancel, last

    def __call__(self) -> bool:
        with closing(self._copying) as copying:  # type: ignore[type-var]  # export is a generator
            for said in copying:
                self._last[:] = [said]
                if self._cancel.is_set():
                    return False
        return True
