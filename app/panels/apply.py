"""Applying a finished run to new scenes: images like the target's in, maps out."""

from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDesktopServices,
    QDragEnterEvent,
    QDropEvent,
    QKeySequence,
    QShortcut,
)
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.background import Background
from app.command import Command
from app.dropping import dropped_paths
from app.gathering import Found, gather
from app.panels.said import SaidLine
from app.theme import icon
from core.events import AnyEvent, Pictured, Progressed, Warned
from core.runs.run_state import APPLIED
from core.terms import Which


class ApplyPanel(QWidget):
    """Maps scenes with the run that `show_run` names; closing it meanwhile ends that, to go on another time.

    `show_requested` carries the run's folder and the paths of the maps made.
    """

    show_requested = Signal(object, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._background = Background(self)
        self._run: Path | None = None
        self._maps: list[Path] = []
        self._leaving = False
        self._warnings: list[str] = []
        self.engine = Command(self)
        self.engine.heard.connect(self._hear)
        self.engine.ended.connect(self._end)
        self.setAcceptDrops(True)
        self.title = QLabel(self, wordWrap=True)
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.title.setProperty("role", "heading")
        self.title.setAccessibleName(self.tr("The run to apply"))
        self.scenes = QListWidget(self)
        self.scenes.setAccessibleName(self.tr("New scenes"))
        self.scenes.setToolTip(self.tr("Images of the target's sensor, bands and season. Drop files here"))
        self.scenes.setSelectionMode(QListWidget.SelectionMode.ExtendedSelection)
        self.scenes.itemSelectionChanged.connect(self._enable)
        self.hint = QLabel(self.tr("Add images or folders, or drop them on the list."), self)
        self.hint.setProperty("role", "hint")
        self.which = self._model_choice()
        self.to = QLineEdit(self)
        self.to.setAccessibleName(self.tr("Folder of the maps"))
        self.to.setToolTip(self.tr("Made where it is not there; a map that was begun there goes on"))
        self.to.textChanged.connect(self._enable)
        self.bar = QProgressBar(self, maximum=1000)
        self.bar.setAccessibleName(self.tr("Progress of the maps"))
        self.said = SaidLine(self.tr("What came of it"), self)
        self._lay_out()
        self.show_run(None)

    def show_run(self, folder: Path | None) -> None:
        """Apply this run from now on; while maps are being made, the one at work stays."""
        if self.engine.working:
            return
        self._run = folder
        name = folder.name if folder else ""
        self.title.setText(
            self.tr("Apply {0} to new scenes").format(name)
            if folder
            else self.tr("Choose a finished run to apply to new scenes")
        )
        self.to.setText(str(folder / APPLIED) if folder else "")
        self.said.say("")
        self._maps = []
        self._enable()

    def add(self, paths: list[Path]) -> None:
        """List more images, those in folders too; those listed already are not repeated."""
        self._background.run(lambda: gather(paths), self._list, self.said.say, tuple(paths))

    def _list(self, found: list[Found]) -> None:
        listed = self._texts()
        self.scenes.addItems([str(each.image) for each in found if str(each.image) not in listed])
        self._enable()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_paths(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        self.add(dropped_paths(event.mimeData()))
        event.acceptProposedAction()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Close once the engine has ended: what it has mapped so far is kept, and gone on with."""
        if not self.engine.working:
            super().closeEvent(event)
            return
        event.ignore()
        self._leaving = True
        self.said.say(self.tr("The engine is being stopped; it can go on another time..."))
        self.engine.stop()

    def _model_choice(self) -> QComboBox:
        which = QComboBox(self)
        which.setAccessibleName(self.tr("Model"))
        which.setToolTip(self.tr("The model that the verdict chose, or either of the two"))
        words: dict[Which, str] = {
            "chosen": self.tr("chosen by the verdict"),
            "adapted": self.tr("adapted"),
            "source-only": self.tr("source-only"),
        }
        for name, word in words.items():
            which.addItem(word, name)
        return which

    def _lay_out(self) -> None:
        self.add_button = self._button("", self.tr("&Add images..."), self._browse_scenes)
        self.add_folder = self._button("", self.tr("Add f&older..."), self._browse_scene_folder)
        self.remove = self._button("", self.tr("&Remove"), self._remove)
        QShortcut(
            QKeySequence(QKeySequence.StandardKey.Delete),
            self.scenes,
            self._remove,
            context=Qt.ShortcutContext.WidgetShortcut,
        )
        browse = self._button("", self.tr("&Browse..."), self._browse_folder)
        self.go = self._button("start", self.tr("&Make maps"), self._start)
        self.stop = self._button("stop", self.tr("S&top"), self.engine.stop)
        self.show_maps = self._button("", self.tr("S&how on the map"), self._show_maps)
        self.show_folder = self._button("folder", self.tr("O&pen folder"), self._show_folder)
        first, where, last = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        for button in (self.add_button, self.add_folder, self.remove):
            first.addWidget(button)
        first.addStretch()
        where.addWidget(self.to, 1)
        where.addWidget(browse)
        last.addWidget(self.go)
        last.addWidget(self.stop)
        last.addWidget(self.bar, 1)
        last.addStretch()
        last.addWidget(self.show_maps)
        last.addWidget(self.show_folder)
        form = QFormLayout()
        form.addRow(self.tr("Mo&del"), self.which)
        label = QLabel(self.tr("&Folder"), self)
        label.setBuddy(self.to)
        form.addRow(label, where)
        layout = QVBoxLayout(self)
        layout.addWidget(self.title)
        layout.addWidget(self.hint)
        layout.addWidget(self.scenes, 1)
        for row in (first, form, last):
            layout.addLayout(row)
        layout.addWidget(self.said)

    def _button(self, picture: str, text: str, slot: object) -> QPushButton:
        button = QPushButton(text, self)
        if picture:
            button.setIcon(icon(picture))
        button.setAccessibleName(text.replace("&", "").rstrip("."))
        button.clicked.connect(lambda _: slot())  # type: ignore[operator]  # any callable
        return button

    def _texts(self) -> list[str]:
        return [self.scenes.item(row).text() for row in range(self.scenes.count())]

    def _browse_scenes(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self, self.tr("Images to map"))
        self.add([Path(path) for path in paths])

    def _browse_scene_folder(self) -> None:
        if found := QFileDialog.getExistingDirectory(self, self.tr("Folder of images to map")):
            self.add([Path(found)])

    def _browse_folder(self) -> None:
        found = QFileDialog.getExistingDirectory(self, self.tr("Folder of the maps"), self.to.text())
        if found:
            self.to.setText(found)

    def _remove(self) -> None:
        for item in self.scenes.selectedItems():
            self.scenes.takeItem(self.scenes.row(item))
        self._enable()

    def _start(self) -> None:
        if self._run is None:
            return
        self._maps, self._warnings = [], []
        self.bar.setValue(0)
        self.said.say(self.tr("The engine is starting..."))
        to = Path(self.to.text().strip()).expanduser()
        which = self.which.currentData()
        self.engine.start("predict", str(self._run), *self._texts(), "--to", str(to), "--which", which)
        self._enable()

    def _enable(self) -> None:
        working = self.engine.working
        ready = self._run is not None and self.scenes.count() > 0 and bool(self.to.text().strip())
        self.go.setEnabled(ready and not working)
        self.stop.setEnabled(working)
        self.bar.setVisible(working)
        self.hint.setVisible(self.scenes.count() == 0)
        self.remove.setEnabled(bool(self.scenes.selectedItems()) and not working)
        for widget in (self.add_button, self.add_folder, self.which, self.to):
            widget.setEnabled(not working)
        for button in (self.show_maps, self.show_folder):
            button.setVisible(bool(self._maps) and not working)

    def _show_maps(self) -> None:
        self.show_requested.emit(self._run, self._maps)

    def _show_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._maps[0].parent)))

    def _hear(self, event: AnyEvent) -> None:
        if isinstance(event, Progressed):
            self._show_progress(event)
        elif isinstance(event, Pictured):
            self._maps.append(Path(event.path).absolute())
        elif isinstance(event, Warned):
            self._warnings.append(self.tr("Warning: {0}").format(event.text))

    def _show_progress(self, event: Progressed) -> None:
        scenes, made = self.scenes.count(), len(self._maps)
        share = (made + event.done / max(event.total, 1)) / max(scenes, 1)
        self.bar.setValue(min(round(1000 * share), 1000))
        self.said.say(self.tr("{0}; map {1} of {2}").format(event.what, min(made + 1, scenes), scenes))

    def _end(self, how: str, sentence: str) -> None:
        told = {
            "done": self.tr("{0} maps are in {1}.").format(len(self._maps), self.to.text()),
            "stopped": self.tr("Stopped. Press Make maps to go on where it was."),
            "failed": sentence,
        }
        self.said.say("\n".join([told[how], *self._warnings]))
        self._enable()
        if self._leaving:
            self.close()
