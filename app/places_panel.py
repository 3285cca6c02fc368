"""The imagery of both places, a tab each, hand in hand with their maps."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QTabWidget, QWidget

from app.edits import Document
from app.map_area import MapArea
from app.panels.imagery import ImageryPanel


class PlacesPanel(QTabWidget):
    """What is selected in a list is marked on its map, and vice versa; what is dropped on a map is listed.

    `failed` carries a sentence, `wanted` asks for the panel to be seen: it has something to tell.
    """

    failed = Signal(str)
    wanted = Signal()

    def __init__(self, document: Document, maps: MapArea, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._maps = maps
        self.setAccessibleName(self.tr("Places"))
        self.imagery = {place: ImageryPanel(document, place) for place in ("source", "target")}
        self.addTab(self.imagery["source"], self.tr("&Source (labelled)"))
        self.addTab(self.imagery["target"], self.tr("&Target (no labels)"))
        for place, panel in self.imagery.items():
            self._connect(panel, place)
        maps.edit_area_requested.connect(self._edit_area)

    def _connect(self, panel: ImageryPanel, place: str) -> None:
        outlines = self._maps.maps[place].outlines
        panel.facts_changed.connect(lambda: outlines.set_facts(panel.facts))
        panel.selected.connect(outlines.select)
        panel.zoom_requested.connect(partial(self._zoom_to, place))
        panel.draw_area_requested.connect(partial(self._draw_area, place))
        self._maps.maps[place].dropped.connect(partial(self._take_dropped, panel))
        outlines.scene_picked.connect(panel.select)
        outlines.scene_picked.connect(lambda _: self.setCurrentWidget(panel))

    def _take_dropped(self, panel: ImageryPanel, paths: list[Path]) -> None:
        self.setCurrentWidget(panel)
        self.wanted.emit()
        panel.add_paths(paths)

    def _zoom_to(self, place: str, index: int) -> None:
        self._maps.reveal(place)
        self._maps.maps[place].outlines.zoom_to(index)

    def _draw_area(self, place: str, index: int) -> None:
        """Draw, or move the corners of what is drawn: the editor's button says which."""
        self._zoom_to(place, index)
        if not self._maps.maps[place].outlines.edit_area(index):
            self._maps.take_tool("polygon")

    @Slot()
    def _edit_area(self) -> None:
        """Of the place on the front tab, the selected image's."""
        place = "source" if self.currentWidget() is self.imagery["source"] else "target"
        if self._maps.maps[place].outlines.edit_area(self.imagery[place].current):
            self._maps.reveal(place)
        else:
            text = self.tr("the selected image has no area drawn by hand; draw one with Polygon first")
            self.failed.emit(text)
