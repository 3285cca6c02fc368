"""The run somebody looks at: followed, watched, drawn, previewed on the map, and judged when it is done."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QTabWidget, QWidget

from app.background import Background
from app.following import Follower
from app.history import History
from app.live_preview import LivePreview
from app.panels.apply import ApplyPanel
from app.panels.compare import ComparePanel
from app.panels.curves import CurvesPanel
from app.panels.export import ExportDialog
from app.panels.results import ResultsPanel
from app.panels.run_bar import RunBar
from app.panels.watch import WatchPanel
from app.place_map import PlaceMap
from app.run_layers import RunLayers
from core.card import Healthy
from core.job import Job
from core.judging.comparison import Outcome, read_outcome
from core.runs.run import open_run
from core.runs.run_reading import RunState
from core.runs.run_state import EXPORTED

DIALOG_PX = (760, 640)


class RunDesk(QObject):
    """Panels for one run at a time. `failed` carries a sentence.

    `watching` is a page of its own beside the map: watch and curves. `results` is a step's panel.
    """

    failed = Signal(str)

    def __init__(self, history: History, target: PlaceMap, window: QWidget) -> None:
        super().__init__(window)
        self._history, self._window = history, window
        self.watch, self.curves, self.results = WatchPanel(), CurvesPanel(), ResultsPanel()
        window.addActions(self.watch.controls.actions)  # their keys work whatever is shown
        self.watching = QTabWidget()
        self.watching.setAccessibleName(self.tr("The run"))
        self.watching.addTab(self.watch, self.tr("&Watch"))
        self.watching.addTab(self.curves, self.tr("&Curves"))
        self.preview, self.layers = LivePreview(target, self), RunLayers(target, self)
        self.follower: Follower | None = None
        self._healthy: Mapping[str, Any] = {}
        self._marked: Mapping[str, Any] = {}
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
            self.follower.progressed.disconnect(self._mark)
        self.follower = follower
        self._background.drop("show")
        self.layers.hide()
        for panel in (self.watch, self.curves):
            panel.show_run(follower)
        self.preview.follow(follower)
        self.results.show_run(None)
        self._mark()
        if follower is not None:
            follower.state_changed.connect(self._on_state)
            follower.progressed.connect(self._mark)
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
        """Ask what of a finished run to take home, and where to."""
        self._background.run(lambda: read_outcome(folder), self._export, self.failed.emit, "export")

    @Slot(object)
    def apply(self, folder: Path) -> None:
        """Map more scenes with a finished run's model, in a window of its own."""
        panel = ApplyPanel()
        panel.show_requested.connect(self._show_applied)
        panel.show_run(folder)
        self._open(panel, self.tr("Apply to new scenes"))

    @Slot(object, object)
    def compare(self, one: Path, other: Path) -> None:
        """Show two runs side by side in a window of their own."""
        panel = ComparePanel(self._history)
        panel.failed.connect(self.failed)
        panel.show_runs(one, other)
        self._open(panel, self.tr("Compare two runs"))

    def _export(self, outcome: Outcome) -> None:
        dialog = ExportDialog(outcome, outcome.folder / EXPORTED, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def _open(self, panel: QWidget, title: str) -> None:
        """A window beside the main one; it closes with that."""
        panel.setParent(self._window, Qt.WindowType.Window)
        panel.setWindowTitle(title)
        panel.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        panel.resize(*DIALOG_PX)
        panel.show()

    def describe(self, answer: Mapping[str, Any]) -> None:
        """What the engine says of its methods: the healthy bands of their losses."""
        self._healthy = {
            name: {loss: Healthy(**band) for loss, band in (method.get("healthy") or {}).items()}
            for name, method in answer["methods"].items()
        }
        self._mark()

    @Slot(object)
    def _on_state(self, state: RunState) -> None:
        assert self.follower is not None
        self._mark()
        if state.status == "done":
            self.results.show_run(self.follower.folder)

    def _mark(self, _: object = None) -> None:
        """The curves' healthy bands are those of the run's method, known once its journal is read."""
        method = self.follower.progress.method if self.follower else ""
        bands = self._healthy.get(method, {})
        if bands != self._marked:
            self._marked = bands
            self.curves.set_healthy(bands)

    @Slot(object, object)
    def _show_applied(self, folder: Path, maps: list[Path]) -> None:
        def show(job: Job) -> None:
            self.layers.show_maps(job.legend, maps)
            self._window.raise_()

        self._background.run(lambda: open_run(folder).job, show, self.failed.emit, "show")

    def _show(self, folder: Path, stem: str, what: Any) -> None:
        def show(job: Job) -> None:
            self.layers.show(folder, job, stem, what)

        self._background.run(lambda: open_run(folder).job, show, self.failed.emit, "show")
