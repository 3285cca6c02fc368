"""Offers to build overviews for a raster that can only be seen coarsely without."""

import threading
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

from app.background import sentence
from app.map.layers import Layer, RasterLayer
from app.map.view import MapView
from geo_io.overviews import Kind, build_overviews


class Building(QObject):
    """Builds overviews on a thread of its own. `ended` carries what went wrong, "" for nothing."""

    progressed = Signal(int)
    ended = Signal(str)

    def __init__(self, path: Path, kind: Kind, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._path, self._kind = path, kind
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._build, daemon=True)

    def start(self) -> None:
        """Begin; once both signals are listened to, for a build may end at once."""
        self._thread.start()

    def cancel(self) -> None:
        """Stop within the next square of pixels, leave nothing behind, and wait for that."""
        self._cancelled.set()
        self._thread.join()

    def _build(self) -> None:
        problem = ""
        try:
            build_overviews(self._path, self._kind, self._tell)
        except Exception as fault:
            problem = sentence(fault)
        if not self._cancelled.is_set():
            self.ended.emit(problem)

    def _tell(self, share: float) -> bool:
        if self._cancelled.is_set():
            return False
        self.progressed.emit(round(100 * share))
        return True


class OverviewOffer(QFrame):
    """A strip above a map, there only while one of its layers could do with overviews."""

    failed = Signal(str)

    def __init__(self, view: MapView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = view
        self._layer: RasterLayer | None = None
        self._declined: set[int] = set()
        self._building: Building | None = None
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.text, self.bar = QLabel(self), QProgressBar(self)
        self.text.setWordWrap(True)
        self.build = self._button(
            self.tr("Build overviews"),
            self.tr("Writes reduced copies beside the file, as .ovr; the file itself is not changed"),
        )
        self.decline = self._button(self.tr("Not now"), self.tr("Goes on with the coarse picture"))
        self.bar.setAccessibleName(self.tr("Overviews built, per cent"))
        row = QHBoxLayout(self)
        for widget, stretch in ((self.text, 1), (self.bar, 1), (self.build, 0), (self.decline, 0)):
            row.addWidget(widget, stretch)
        self.build.clicked.connect(self._start)
        self.decline.clicked.connect(self._refuse)
        view.layer_opened.connect(self._look)
        view.layers_changed.connect(self._look)
        self._look()

    def stop(self) -> None:
        """End a build that is going on; for when the window closes."""
        if self._building is not None:
            self._building.cancel()
            self._building = None

    def _button(self, text: str, why: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setToolTip(why)
        button.setAccessibleName(text)
        return button

    @Slot()
    def _look(self, _layer: Layer | None = None) -> None:
        """Offer for the first layer that is in need."""
        if self._building is None:
            wanting = [la for la in self._view.layers if isinstance(la, RasterLayer) and la.needs_overviews]
            self._layer = next((layer for layer in wanting if layer.key not in self._declined), None)
            self._show()

    def _show(self) -> None:
        if self._layer is not None:
            text = self.tr("{} is large and has no overviews: from afar it is only seen coarsely.")
            self.text.setText(text.format(self._layer.path.name))
        self.bar.setVisible(self._building is not None)
        self.build.setVisible(self._building is None)
        self.decline.setText(self.tr("Not now") if self._building is None else self.tr("Cancel"))
        self.setVisible(self._layer is not None)

    @Slot()
    def _start(self) -> None:
        assert self._layer is not None
        self.bar.setValue(0)
        self._building = Building(self._layer.path, self._layer.kind, self)
        self._building.progressed.connect(self.bar.setValue)
        self._building.ended.connect(self._ended)
        self._building.start()
        self._show()

    @Slot()
    def _refuse(self) -> None:
        if self._building is not None:
            self.stop()
        elif self._layer is not None:
            self._declined.add(self._layer.key)
        self._look()

    @Slot(str)
    def _ended(self, problem: str) -> None:
        self._building = None
        if self._layer is not None:
            self._declined.add(self._layer.key)
            if problem:
                self.failed.emit(problem)
            else:
                self._layer.reload()
        self._look()
