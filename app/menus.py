"""The menus: every command with its shortcut, in one place."""

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QApplication, QMenu

from app.panels.shortcuts import ShortcutsDialog
from app.recent import recent_projects
from app.theme import apply_theme, icon
from app.window import MainWindow

Keys = QKeySequence.StandardKey


class Menus(QObject):
    """File, Edit, View, Run and Help of `window`. Those of a project are off on the start page."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._of_project: list[QAction] = []
        for make in (self._file, self._edit, self._view, self._run, self._help):
            make()
        for action in self._of_project:
            action.setEnabled(False)
        window.entered.connect(self.enter)

    def enter(self) -> None:
        """A project is open."""
        for action in self._of_project:
            action.setEnabled(True)

    def _file(self) -> None:
        tr, files = self.tr, self._window.files
        menu = self._menu(tr("&File"))
        self._add(menu, tr("&New project"), files.new, Keys.New)
        self._add(menu, tr("&Open project..."), files.choose, Keys.Open)
        self.recent = menu.addMenu(tr("Open &recent"))
        self.recent.aboutToShow.connect(self._fill_recent)
        self._add(menu, tr("Open a r&un..."), self._window.choose_run, "Ctrl+Shift+O")
        menu.addSeparator()
        self._add(menu, tr("&Save"), files.save, Keys.Save, project=True)
        self._add(menu, tr("Save &as..."), files.save_as, "Ctrl+Shift+S", project=True)
        menu.addSeparator()
        self._add(menu, tr("Se&ttings..."), self._settings, "Ctrl+,")
        self._add(menu, tr("&Quit"), self._window.close, "Ctrl+Q")

    def _edit(self) -> None:
        menu, undo = self._menu(self.tr("&Edit")), self._window.document.undo
        for action, key, name in (
            (undo.createUndoAction(self, self.tr("&Undo")), Keys.Undo, "undo"),
            (undo.createRedoAction(self, self.tr("&Redo")), Keys.Redo, "redo"),
        ):
            action.setShortcut(QKeySequence(key))
            action.setIcon(icon(name))
            menu.addAction(action)

    def _view(self) -> None:
        menu, window = self._menu(self.tr("&View")), self._window
        for number, name in enumerate(window.steps.names, 1):
            self._add(
                menu,
                window.steps.title(name),
                lambda n=name: window.steps.show_step(n),
                f"Ctrl+{number}",
                project=True,
            )
        menu.addSeparator()
        menu.addActions(window.maps.actions())
        menu.addSeparator()
        for dock in (window.right, window.bottom):
            menu.addAction(dock.toggleViewAction())

    def _run(self) -> None:
        menu, window, tr = self._menu(self.tr("&Run")), self._window, self.tr
        self._add(menu, tr("Check &now"), window.check, "F5", project=True)
        menu.setToolTipsVisible(True)  # why a command is off
        menu.addActions([window.method.bar.start_action, window.method.bar.copy_action])
        menu.addSeparator()
        menu.addActions(window.run_list.bar.actions())

    def _help(self) -> None:
        menu, tr = self._menu(self.tr("&Help")), self.tr
        self._add(menu, tr("&Keyboard shortcuts"), self._shortcuts, "F1")
        self._add(menu, tr("&About Isthmus"), self._about, "")

    def _menu(self, title: str) -> QMenu:
        return self._window.menuBar().addMenu(title)

    def _add(
        self,
        menu: QMenu,
        text: str,
        slot: Callable[..., object],
        key: QKeySequence.StandardKey | str,
        project: bool = False,
    ) -> None:
        action = QAction(text, self)
        if key:
            action.setShortcut(QKeySequence(key))
        action.triggered.connect(lambda _checked=False: slot())
        menu.addAction(action)
        if project:
            self._of_project.append(action)

    def _fill_recent(self) -> None:
        self.recent.clear()
        for path in recent_projects():
            self._add(self.recent, str(path), lambda p=path: self._window.open_path(p), "")
        self.recent.setEnabled(not self.recent.isEmpty())

    def _settings(self) -> None:
        from app.panels.settings import SettingsDialog

        dialog = SettingsDialog(self._window.devices, self._window)
        dialog.applied.connect(self._apply_settings)
        dialog.open()

    def _apply_settings(self) -> None:
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        apply_theme(application, self._window.preferences.theme)
        self._window.take_preferences()

    def _about(self) -> None:
        from app.panels.about import AboutDialog

        AboutDialog(self._window.engine, self._window).open()

    def _shortcuts(self) -> None:
        ShortcutsDialog(self._window).open()
