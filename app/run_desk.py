"""The run somebody looks at: followed, watched, drawn, previewed on the map, and judged when it is done."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QDialog, QTabWidget, QWidget

from app.background import Background
from app.following import Follower
from app.history import History
from app.live_preview import LivePreview
from app.panels.curves import CurvesPanel
from app.panels.results import ResultsPanel
from app.panels.run_bar import RunBar
from app.panels.watch import WatchPanel
from app.place_map import PlaceMap
from app.run_layers import RunLayers
from core.job import Job
from core.run import open_run
from core.run_reading import RunState


class RunDesk(QObject):
    """Panels for one run at a time. `ended` carries a follower whose run has just ended, `failed` a sentence.

    `watching` is a page of its own beside the map: watch and curves. `results` is a step's panel.
    """

    ended = Signal(object)
    failed = Signal(str)

    def __init__(self, history: History, target: PlaceMap, window: QWidget) -> None:
        super().__init__(window)
        self._history, self._window = history, window
        self.watch, self.curves, self.results = WatchPanel(), CurvesPanel(), ResultsPanel()
        self.watching = QTabWidget()
        self.watching.setAccessibleName(self.tr("The run"))
        self.watching.addTab(self.watch, self.tr("&Watch"))
        self.watching.addTab(self.curves, self.tr("&Curves"))
        self.preview, self.layers = LivePreview(target, self), RunLayers(target, self)
        self.follower: Follower | None = None
        self._healthy: Mapping[str, Any] = {}
        self._alive = False
        self._background = Background(self)
        self.watch.preview_changed.connect(self.preview.set_on)
        self.watch.layer_changed.connect(self.preview.set_part)
        self.results.show_requested.connect(self._show)
        for panel in (self.watch, self.results, self.preview):
            panel.failed.connect(self.failed)

    def choose(self, folder: Path | None) -> None:
        """Look at this run from now on; None for none."""
        follower = self._history.follower(folder) if folder is not None else None
        if follower is self.follower:
            return
        if self.follower is not None:
            self.follower.state_changed.disconnect(self._on_state)
        self.follower = follower
        self.layers.hide()
        for panel in (self.watch, self.curves):
            panel.show_run(follower)
        self.preview.follow(follower)
        self._alive = False
        self.results.show_run(None)
        self._mark()
        if follower is not None:
            follower.state_changed.connect(self._on_state)
            if follower.state is not None:
                self._on_state(follower.state)

    def connect_bar(self, bar: RunBar) -> None:
        """Do what the list of runs asks for."""
        bar.compare_requested.connect(self.compare)
        for asked in (bar.export_requested, self.results.export_requested):
            asked.connect(self.export)
        for asked in (bar.apply_requested, self.results.apply_requested):
            asked.connect(self.apply)

    @Slot(object)
    def export(self, folder: Path) -> None:
        """Ask where to, and copy a finished run's maps."""
        from app.panels.export import ExportDialog

        self._open(ExportDialog(folder, self._window))

    @Slot(object)
    def apply(self, folder: Path) -> None:
        """Ask for more scenes, and map them with a finished run's model."""
        from app.panels.apply import ApplyDialog

        self._open(ApplyDialog(folder, self._window))

    @Slot(object, object)
    def compare(self, one: Path, other: Path) -> None:
        """Show two runs side by side in a window of their own."""
        from app.panels.compare import CompareDialog

        self._open(CompareDialog(self._history, one, other, self._window))

    def _open(self, dialog: QDialog) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def describe(self, answer: Mapping[str, Any]) -> None:
        """What the engine says of its methods: the healthy bands of their losses."""
        self._healthy = {name: method.get("healthy") or {} for name, method in answer["methods"].items()}
        self._mark()

    @Slot(object)
    def _on_state(self, state: RunState) -> None:
        assert self.follower is not None
        was_alive, self._alive = self._alive, state.alive
        self._mark()
        if state.status == "done":
            self.results.show_run(self.follower.folder)
        if was_alive and not state.alive:
            self.ended.emit(self.follower)

    def _mark(self) -> None:
        method = self.follower.progress.method if self.follower else ""
        self.curves.set_healthy(self._healthy.get(method, {}))

    def _show(self, folder: Path, stem: str, what: Any) -> None:
        def show(job: Job) -> None:
            self.layers.show(folder, job, stem, what)

        self._background.run(lambda: open_run(folder).job, show, self.failed.emit, "show")
