"""The main window: steps to the left, maps in the middle, layers to the right, the run below."""

from importlib import import_module
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QDockWidget,
    QFileDialog,
    QMainWindow,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.background import Background
from app.edits import Document, Keys
from app.engine import Engine
from app.following import Follower
from app.history import History
from app.launch import runs_of
from app.launcher import Launcher
from app.map_area import MapArea
from app.notifying import Notifier
from app.panels.checks import ChecksPanel
from app.panels.legend import LegendPanel
from app.panels.method import MethodPanel
from app.panels.problem import NoticeBar, show_problem
from app.panels.runs import RunsPanel
from app.panels.start import StartPanel
from app.places_panel import PlacesPanel
from app.preferences import Preferences
from app.project_files import ProjectFiles
from app.run_desk import RunDesk
from app.run_words import how_it_ended
from app.steps import Steps
from core.checks.findings import Verdict
from core.runs.run_state import is_run

LEFT_PX, RIGHT_PX, BOTTOM_PX, SIZE_PX = 650, 240, 260, (1480, 920)
WARM_UP_MS = 500


class MainWindow(QMainWindow):
    """One project at a time. Runs go on without it. `entered` comes when the start page is left."""

    entered = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.preferences = Preferences()
        self.document, self.engine, self.history = Document(self), Engine(self), History(self)
        self.files = ProjectFiles(self.document, self)
        self._background = Background(self)
        self.launcher = Launcher(self.document, self.files, self)
        self.notice, self.notifier = NoticeBar(), Notifier(self)
        self.start = StartPanel()
        self.maps = MapArea(self.document)
        self.runs = RunDesk(self.history, self.maps.target, self)
        self._make_panels()
        self._lay_out()
        self._connect()
        self._rename()
        self._restore()
        self.take_preferences()
        QTimer.singleShot(0, self.method.ask)
        QTimer.singleShot(WARM_UP_MS, self._warm_up)

    def open_path(self, path: Path) -> None:
        """Open a project, or look at a run, named by its folder or by the job that it has written down."""
        path = path.parent if path.name == "job.yaml" and is_run(path.parent) else path
        if not is_run(path):
            self.files.open(path)
        elif self.files.open_run(path.resolve()):
            self.history.add(path)
            self._enter_run(path.resolve())

    def take_preferences(self) -> None:
        """Settings may have changed."""
        self.preferences.export()
        self.maps.resize_caches(self.preferences.tile_cache_mib * 2**20)

    def enter(self) -> None:
        """Leave the start page."""
        self.pages.setCurrentWidget(self.desk)
        self.right.show()
        self.entered.emit()

    @property
    def devices(self) -> list[str]:
        """What the engine said this machine has; none before it did."""
        return list((self.engine.description or {}).get("devices", []))

    def choose_run(self) -> None:
        """Look at a run from anywhere."""
        folder = QFileDialog.getExistingDirectory(self, self.tr("Open the folder of a run"))
        if folder and not is_run(Path(folder)):
            self.tell(
                self.tr("{0} is not the folder of a run; choose one with a job.yaml in it").format(folder)
            )
        elif folder:
            self.open_path(Path(folder))

    def check(self) -> None:
        """Look at the project's files now."""
        self.steps.show_step("checks")
        self.checks.check()

    @Slot(str)
    def tell(self, text: str) -> None:
        """Say a sentence above the desk until it is read."""
        self.notice.show_notice(text)

    def tell_fault(self, text: str, details: str) -> None:
        """An error of ours that nobody caught."""
        show_problem(self, self.tr("{0}; save your work, and please report this").format(text), details)

    def tell_crash(self, details: str) -> None:
        """The last window died."""
        text = self.tr("The window ended unexpectedly last time. Runs went on, and edits were kept")
        show_problem(self, text, details)

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self.files.may_leave():
            event.ignore()
            return
        self.preferences.keep_bytes("geometry", self.saveGeometry())
        self.preferences.keep_bytes("state", self.saveState())
        self.history.close()
        self.engine.close()
        self.maps.close_maps()
        event.accept()

    def _make_panels(self) -> None:
        document, tr = self.document, self.tr
        self.legend = LegendPanel(document)
        self.checks = ChecksPanel(document, engine=self.engine)
        self.method = MethodPanel(document, self.engine)
        self.run_list = RunsPanel(document, self.history)
        self.places = PlacesPanel(document, self.maps)
        self.steps = Steps()
        for name, title, panel, tip in (
            ("imagery", tr("Imagery"), self.places, tr("What is labelled, and what is to be mapped")),
            ("legend", tr("Classes"), self.legend, tr("Names, colours and label values")),
            ("checks", tr("Checks"), self.checks, tr("What would make the run meaningless")),
            ("method", tr("Method"), self.method, tr("How to adapt, for how long, on what")),
            ("runs", tr("Runs"), self.run_list, tr("What works, waits or is finished")),
            ("results", tr("Results"), self.runs.results, tr("Did adapting help, and how do we know")),
        ):
            self.steps.add(name, title, panel, tip)

    def _lay_out(self) -> None:
        self.desk = QSplitter(Qt.Orientation.Horizontal)
        self.desk.addWidget(self.steps)
        self.desk.addWidget(self.maps)
        self.desk.setStretchFactor(1, 1)
        self.desk.setSizes([LEFT_PX, SIZE_PX[0] - LEFT_PX])
        self.pages = QStackedWidget()
        self.pages.addWidget(self.start)
        self.pages.addWidget(self.desk)
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.notice)
        column.addWidget(self.pages, 1)
        self.setCentralWidget(middle)
        areas = Qt.DockWidgetArea
        self.right = self._dock("layers", self.tr("Layers"), self.maps.layers, areas.RightDockWidgetArea)
        self.bottom = self._dock("run", self.tr("Run"), self.runs.watching, areas.BottomDockWidgetArea)
        self.resize(*SIZE_PX)
        self.resizeDocks([self.right], [RIGHT_PX], Qt.Orientation.Horizontal)
        self.resizeDocks([self.bottom], [BOTTOM_PX], Qt.Orientation.Vertical)

    def _dock(self, name: str, title: str, widget: QWidget, area: Qt.DockWidgetArea) -> QDockWidget:
        dock = QDockWidget(title, self)
        dock.setObjectName(name)
        dock.setWidget(widget)
        self.addDockWidget(area, dock)
        dock.hide()
        return dock

    def _connect(self) -> None:
        self.start.open_requested.connect(self.open_path)
        self.files.chosen.connect(self.open_path)
        self.files.entered.connect(self.start.refresh)
        self.start.new_requested.connect(self.files.new)
        self.files.entered.connect(self.enter)
        self.document.renamed.connect(self._rename)
        self.document.changed.connect(self._let_go)
        self.document.dirty.connect(self.setWindowModified)
        self.engine.described.connect(self.runs.describe)
        self.checks.verdict_changed.connect(self._take_verdict)
        self.checks.checker.changed.connect(self._take_faults)
        self.method.start_requested.connect(self.launcher.start)
        self.places.wanted.connect(lambda: self.steps.show_step("imagery"))
        self.launcher.started.connect(self._started)
        self.run_list.chosen.connect(self.runs.choose)
        self.run_list.opened.connect(self._enter_run)
        self.history.ended.connect(self._run_ended)
        self.runs.results.show_requested.connect(self._list_target)
        self.history.listed.connect(self._spare)
        self.maps.hint.connect(self.statusBar().showMessage)
        for each in (self.files, self.launcher, self.places, self.run_list, self.runs, self.maps):
            each.failed.connect(self.tell)
        self.runs.connect_bar(self.run_list.bar)

    @Slot(object)
    def _take_verdict(self, verdict: Verdict | None) -> None:
        marks = {True: ("!", self.tr("cannot run")), False: ("✓", self.tr("can run"))}
        if verdict is not None:
            self.legend.show_shares(verdict.label_shares())
        self.steps.mark("checks", *(("", "") if verdict is None else marks[bool(verdict.faults)]))

    @Slot()
    def _list_target(self) -> None:
        """What a run made lies on the target's map: so do its layers."""
        self.maps.reveal("target")
        self.maps.layers.setCurrentIndex(1)

    @Slot()
    def _take_faults(self) -> None:
        """Nothing starts that preflight has not passed."""
        self.method.faults = self.checks.faults

    @Slot()
    def _spare(self) -> None:
        """Estimates train real steps: while a run works, only those asked for are made."""
        self.method.bar.estimate.automatic = not any(run.state.alive for run in self.history.rows)

    @Slot()
    def _warm_up(self) -> None:
        """Load what is slow, once the window is there: before the first chart needs it."""
        import_module("app.charts")

    @Slot(tuple)
    def _let_go(self, keys: Keys) -> None:
        """The run that was looked at is not of the project that is open now."""
        if not keys:
            self.runs.choose(None)

    @Slot(object)
    def _started(self, folder: Path) -> None:
        self.history.refresh()
        if folder.parent == runs_of(self.document.project):  # else another project was opened meanwhile
            self._enter_run(folder)

    @Slot(object)
    def _enter_run(self, folder: Path) -> None:
        """Look at a run: at its progress, or at its results if it is done."""
        self.runs.choose(folder)
        self.run_list.show_run(folder)
        self.bottom.show()
        done = (folder / "exit.json").exists() and (folder / "verdict.json").exists()
        self.steps.show_step("results" if done else "runs")

    @Slot(object)
    def _run_ended(self, follower: Follower) -> None:
        assert follower.state is not None
        words = how_it_ended(follower.folder.name, follower.state)
        done = follower.state.status == "done"
        details = "" if done else "\n".join(follower.said)
        self.notice.show_notice(words, kind="note" if done else "warning", details=details)
        if self.preferences.notifications:
            self.notifier.tell(words)
        if done and follower is self.runs.follower:
            self.steps.show_step("results")

    @Slot()
    def _rename(self) -> None:
        path = self.document.project.path
        name = str(self.document.value("name", default=self.tr("untitled")))
        self.setWindowTitle(f"{path.name if path else name}[*]")

    def _restore(self) -> None:
        """Size and docks as the last window had them; those of a project stay hidden on the start page."""
        self.restoreGeometry(self.preferences.bytes("geometry"))
        self.restoreState(self.preferences.bytes("state"))
        for dock in (self.right, self.bottom):
            dock.hide()
