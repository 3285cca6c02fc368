"""About Isthmus: its version, the licences of what it is made of, and a report of this machine to copy."""

import platform
from collections.abc import Mapping
from typing import Any

import PySide6
import yaml
from PySide6.QtCore import QSysInfo, Qt, qVersion
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QSplitter,
    QTableWidget,
    QTableWidgetItem,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.background import Background
from app.engine import Engine, Question
from app.licences import Library, libraries, licence_text
from app.log import log_path
from app.theme import icon
from core.runs.run import version_of

ICON_PX = 64


class AboutDialog(QDialog):
    """Three pages: about, licences, environment. The engine is asked when the last is opened."""

    def __init__(self, engine: Engine, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("About Isthmus"))
        self.licences = LicencePage()
        self.environment = EnvironmentPage(engine)
        self.pages = QTabWidget()
        self.pages.setAccessibleName(self.tr("Pages"))
        self.pages.addTab(self._first(), self.tr("&About"))
        self.pages.addTab(self.licences, self.tr("&Licences"))
        self.pages.addTab(self.environment, self.tr("&Environment"))
        self.pages.currentChanged.connect(self._on_page)
        box = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        box.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(self.pages)
        layout.addWidget(box)
        self.resize(680, 480)

    def _first(self) -> QWidget:
        title = QLabel(self.tr("Isthmus {0}").format(version_of("isthmus")))
        title.setProperty("role", "title")
        words = self.tr(
            "Adapts a land-cover network to a new place, sensor or season without a single label from there, "
            "on this machine, and writes maps that open in any GIS.\n\n"
            "Isthmus is free software under the Apache License 2.0. The networks' libraries and weights "
            "have licences of their own: see the next page, and the encoder's note where you choose it."
        )
        picture = QLabel()
        picture.setPixmap(icon("isthmus").pixmap(ICON_PX))
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.addWidget(picture)
        layout.addWidget(title)
        layout.addWidget(QLabel(words, wordWrap=True))
        layout.addStretch()
        return page

    def _on_page(self, index: int) -> None:
        page = self.pages.widget(index)
        if isinstance(page, LicencePage | EnvironmentPage):
            page.fill()


class LicencePage(QWidget):
    """A table of libraries; the chosen one's licence is read below it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._background = Background(self)
        self.libraries: list[Library] = []
        self.filter = QLineEdit(
            placeholderText=self.tr("Find a library or a licence"), clearButtonEnabled=True
        )
        self.filter.setAccessibleName(self.tr("Find a library or a licence"))
        self.filter.textChanged.connect(self._filter)
        self.table = QTableWidget(0, 3)
        self.table.setAccessibleName(self.tr("Libraries"))
        self.table.setHorizontalHeaderLabels([self.tr("Library"), self.tr("Version"), self.tr("Licence")])
        self.table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setTabKeyNavigation(False)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(self.table.fontMetrics().height() + 8)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        self.table.currentCellChanged.connect(lambda row, *_: self._read(row))
        self.text = QPlainTextEdit(readOnly=True)
        self.text.setAccessibleName(self.tr("Licence of the chosen library"))
        self.text.setPlaceholderText(self.tr("Choose a library to read its licence"))
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.table)
        split.addWidget(self.text)
        split.setStretchFactor(0, 2)
        split.setStretchFactor(1, 1)
        layout = QVBoxLayout(self)
        layout.addWidget(self.filter)
        layout.addWidget(split, 1)

    def fill(self) -> None:
        """List the libraries, once."""
        if not self.libraries:
            self._background.run(libraries, self._show, self.text.setPlainText, "libraries")

    def _show(self, found: list[Library]) -> None:
        self.libraries = found
        self.table.setRowCount(len(found))
        for row, library in enumerate(found):
            for column, text in enumerate((library.name, library.version, library.licence)):
                item = QTableWidgetItem(text)
                item.setToolTip(library.home or text)
                self.table.setItem(row, column, item)

    def _filter(self, text: str) -> None:
        for row, library in enumerate(self.libraries):
            words = f"{library.name} {library.licence}".casefold()
            self.table.setRowHidden(row, text.strip().casefold() not in words)

    def _read(self, row: int) -> None:
        if 0 <= row < len(self.libraries):
            library = self.libraries[row]
            self._background.run(
                lambda: licence_text(library.name),
                lambda text: self._show_text(library, text),
                self.text.setPlainText,
                "text",
            )

    def _show_text(self, library: Library, text: str) -> None:
        none = self.tr("{0} brought no licence file; it says: {1}\n{2}")
        self.text.setPlainText(text or none.format(library.name, library.licence, library.home))


class EnvironmentPage(QWidget):
    """What this machine and installation are, for whoever is to help."""

    def __init__(self, engine: Engine, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._question: Question | None = None
        self.report = QPlainTextEdit(readOnly=True)
        self.report.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.report.setAccessibleName(self.tr("Environment report"))
        self.copy = QPushButton(self.tr("&Copy report"))
        self.copy.setAccessibleName(self.tr("Copy report"))
        self.copy.setToolTip(self.tr("Copy all of it, to paste into a report of a problem"))
        self.copy.clicked.connect(self._copy)
        layout = QVBoxLayout(self)
        layout.addWidget(self.report)
        layout.addWidget(self.copy, alignment=Qt.AlignmentFlag.AlignRight)

    def fill(self) -> None:
        """Show what the window knows, and ask the engine for the rest, once."""
        if self._question is None:
            self._show(self.tr("asking; each device is tried for a second"))
            self._question = self._engine.ask("doctor", "--json")
            self._question.answered.connect(self._show)
            self._question.failed.connect(self._show)

    def _show(self, engine: Mapping[str, Any] | str) -> None:
        self.report.setPlainText(report(engine))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.report.toPlainText())


def report(engine: Mapping[str, Any] | str) -> str:
    """The environment as YAML: the window's side, and what the engine answered or why it did not."""
    screen = QGuiApplication.primaryScreen()
    window = {
        "isthmus": version_of("isthmus"),
        "python": platform.python_version(),
        "system": QSysInfo.prettyProductName(),
        "kernel": f"{QSysInfo.kernelType()} {QSysInfo.kernelVersion()}",
        "processor": QSysInfo.currentCpuArchitecture(),
        "qt": qVersion(),
        "pyside": PySide6.__version__,
        "log": str(log_path()),
        "platform": QGuiApplication.platformName(),
        "screen": f"{screen.size().width()} x {screen.size().height()} at {screen.devicePixelRatio():g}",
    }
    content = {"window": window, "engine": dict(engine) if isinstance(engine, Mapping) else engine}
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
