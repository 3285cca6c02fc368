"""The images of one place: brought in, looked at, left out, with their labels, areas and bands."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QSplitter,
    QStackedWidget,
    QTableView,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.background import Background
from app.dropping import DropPlace
from app.edits import Document, Keys
from app.gathering import RASTER_SUFFIXES, Found, as_scene, gather
from app.panels.bands import BandsEditor
from app.panels.row_table import RowTable, push_button
from app.panels.scene_area import AreaEditor
from app.panels.scene_labels import LabelsEditor
from app.scene_facts import FactsReader
from app.scene_table import SceneTable

if TYPE_CHECKING:
    from geo_io.facts import SceneFacts


class ImageryPanel(DropPlace):
    """The images of `place`: "source" or "target".

    Signals carry the position of a scene in the place's list: `selected` (-1: none), `zoom_requested`,
    `draw_area_requested`. `facts_changed`: what `facts` gives may be different.
    """

    selected = Signal(int)
    zoom_requested = Signal(int)
    draw_area_requested = Signal(int)
    facts_changed = Signal()

    def __init__(self, document: Document, place: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.dropped.connect(self.add_paths)
        self._document, self._place = document, place
        self._background = Background(self)
        self.reader = FactsReader(document, place, self)
        self.reader.changed.connect(self.facts_changed)
        self._build()
        document.changed.connect(self._follow)
        self._follow(())

    @property
    def facts(self) -> "list[SceneFacts | None]":
        """Of each scene in order; None while unread or unreadable."""
        return self.reader.facts

    @property
    def current(self) -> int:
        """The position of the selected scene, -1 for none or several."""
        rows = self._selected_rows
        return rows[0] if len(rows) == 1 else -1

    @property
    def _selected_rows(self) -> list[int]:
        return sorted(index.row() for index in self.table.selectionModel().selectedRows())

    def select(self, index: int) -> None:
        """Select a scene, as a click on its footprint does."""
        if index < 0:
            self.table.clearSelection()
        else:
            self.table.selectRow(index)

    def add_paths(self, paths: list[Path]) -> None:
        """Bring in the images among files and in folders, with labels where they lie beside."""
        absolute = [path.absolute() for path in paths]
        self._background.run(partial(gather, absolute), partial(self._add, absolute), self._tell)

    def remove_selected(self) -> None:
        """Take the selected scenes out of the project; their files stay."""
        rows = self._selected_rows
        if rows:
            kept = [scene for i, scene in enumerate(self._scenes) if i not in rows]
            self._document.change(self.tr("Remove images"), {(self._place, "scenes"): kept})

    def choose_files(self) -> None:
        suffixes = " ".join(f"*{suffix}" for suffix in sorted(RASTER_SUFFIXES))
        kinds = self.tr("Images ({});;All files (*)").format(suffixes)
        paths, _ = QFileDialog.getOpenFileNames(self, self.tr("Add images"), "", kinds)
        if paths:
            self.add_paths([Path(path) for path in paths])

    def choose_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, self.tr("Add all images of a folder"))
        if folder:
            self.add_paths([Path(folder)])

    @property
    def _scenes(self) -> list[dict[str, Any]]:
        scenes: list[dict[str, Any]] = self._document.value(self._place, "scenes", default=[])
        return scenes

    def _add(self, paths: list[Path], found: list[Found]) -> None:
        listed = {scene.get("path") for scene in self._scenes}
        new = [each for each in found if str(each.image) not in listed]
        self._tell(self._report(paths, found, new))
        if not new:
            return
        scenes = [*self._scenes, *(as_scene(each, self._place) for each in new)]
        values: dict[Keys, Any] = {(self._place, "scenes"): scenes}
        if not self._document.value(self._place, "name"):
            values[(self._place, "name")] = self._place
        self._document.change(self.tr("Add images"), values)
        self.select(len(scenes) - 1)

    def _report(self, paths: list[Path], found: list[Found], new: list[Found]) -> str:
        """What became of what was dropped, in words."""
        if not found:
            names = ", ".join(path.name for path in paths[:3])
            remedy = self.tr("labels and areas are chosen below, for the image they belong to")
            return self.tr("No image was found in {0}; {1}").format(names, remedy)
        parts = [self.tr("Images added: {}").format(len(new))]
        labelled = sum(1 for each in new if each.labels)
        if labelled:
            parts.append(self.tr("with labels from the folder beside: {}").format(labelled))
        if len(new) < len(found):
            parts.append(self.tr("listed before: {}").format(len(found) - len(new)))
        return ", ".join(parts)

    def _tell(self, text: str) -> None:
        self.notice.setText(text)
        self.notice.setVisible(bool(text))

    def _follow(self, keys: Keys) -> None:
        if keys and keys[0] != self._place:
            return
        if not keys:
            self._tell("")
        self._stack.setCurrentIndex(1 if self._scenes else 0)
        self._show_selected()

    def _show_selected(self) -> None:
        index, rows = self.current, self._selected_rows
        text = self.tr("{} images are selected: labels and area are chosen for all of them.")
        self.chosen.setText(text.format(len(rows)))
        self.chosen.setVisible(len(rows) > 1)
        self.labels.show_scenes(rows)
        self.area.show_scenes(rows)
        self.remove.setEnabled(self.table.selectionModel().hasSelection())
        self.zoom.setEnabled(index >= 0)
        found = self.reader.of(index) if index >= 0 else None
        self.fault.setText(found if isinstance(found, str) else "")
        self.fault.setVisible(isinstance(found, str))
        self.selected.emit(index)

    def _open_row(self, index: QModelIndex) -> None:
        self.zoom_requested.emit(index.row())

    def _build(self) -> None:
        self.notice = QLabel(wordWrap=True)
        self.notice.setAccessibleName(self.tr("What was added"))
        self._stack = QStackedWidget()
        self._stack.addWidget(self._build_empty())
        self._stack.addWidget(self._build_content())
        layout = QVBoxLayout(self)
        layout.addLayout(self._build_buttons())
        layout.addWidget(self.notice)
        layout.addWidget(self._stack, 1)

    def _build_buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        add = self.tr("Image files; they can also be dropped here")
        folder = self.tr("All images of a folder, with labels where they lie beside")
        zoom = self.tr("Show the selected image on the map")
        remove = self.tr("Take the selected images out of the project; their files stay")
        self.add = push_button(self.tr("Add &images..."), add, self.choose_files, row)
        self.add_folder = push_button(self.tr("Add f&older..."), folder, self.choose_folder, row)
        row.addStretch(1)
        self.zoom = push_button(
            self.tr("&Zoom to"), zoom, lambda: self.zoom_requested.emit(self.current), row
        )
        self.remove = push_button(self.tr("&Remove"), remove, self.remove_selected, row)
        return row

    def _build_empty(self) -> QWidget:
        text = {
            "source": self.tr("Drop images of the place that has labels here, or add them above."),
            "target": self.tr("Drop images of the places to be mapped here, or add them above."),
        }[self._place]
        empty = QLabel(text, alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        empty.setProperty("role", "hint")
        return empty

    def _build_content(self) -> QWidget:
        self.fault = QLabel(wordWrap=True)
        self.fault.setAccessibleName(self.tr("What is wrong with the selected image"))
        self.fault.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.chosen = QLabel(wordWrap=True)
        self.chosen.setAccessibleName(self.tr("Images selected"))
        self.labels = LabelsEditor(self._document, self._place)
        self.area = AreaEditor(self._document, self._place, self.reader)
        self.area.draw_requested.connect(self.draw_area_requested)
        self.bands = BandsEditor(self._document, self._place, self.reader)
        self.tabs = QTabWidget()
        self.tabs.setAccessibleName(self.tr("Settings of the image and of the place"))
        self.tabs.addTab(self.labels, self.tr("Labels"))
        self.tabs.addTab(self.area, self.tr("Area of interest"))
        self.tabs.addTab(self.bands, self.tr("Bands and nodata"))
        lower = QWidget()
        column = QVBoxLayout(lower)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.fault)
        column.addWidget(self.chosen)
        column.addWidget(self.tabs, 1)
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.addWidget(self._build_table())
        splitter.addWidget(lower)
        splitter.setStretchFactor(0, 1)
        splitter.setChildrenCollapsible(False)
        return splitter

    def _build_table(self) -> QTableView:
        model = SceneTable(self._document, self._place, self.reader, self)
        self.table = RowTable(model, self.tr("Images of the {}").format(self._place))
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.verticalHeader().hide()
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._show_selected())
        model.modelReset.connect(self._show_selected)
        self.table.doubleClicked.connect(self._open_row)
        self.table.removed.connect(self.remove_selected)
        self.reader.changed.connect(self._show_selected)
        return self.table
