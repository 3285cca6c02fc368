"""The area of interest of scenes: all of them, from a file, or drawn on the map."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.edits import Document
from app.panels.scene_editor import Scene, SceneEditor, without
from app.scene_facts import FactsReader
from core.errors import BadInput


class AreaEditor(SceneEditor):
    """Edits `area` and `area_wkt` of the scenes shown last. `draw_requested` asks for drawing on the map."""

    draw_requested = Signal(int)

    def __init__(
        self, document: Document, place: str, facts: FactsReader, parent: QWidget | None = None
    ) -> None:
        super().__init__(document, place, parent)
        self._facts = facts
        self._build()
        document.changed.connect(self._follow)
        facts.changed.connect(self._refresh)
        self._refresh()

    def set_file(self, path: Path) -> None:
        """Take the area from the polygons in `path`, instead of a drawn one."""
        self._edit(self.tr("Choose an area of interest"), _with_area(str(path)))

    def clear(self) -> None:
        """Use all of the image."""
        self._edit(self.tr("Remove the area of interest"), lambda scene: without(scene, "area", "area_wkt"))

    def use_for_all(self) -> None:
        """Take the area of every image of the place from this one's file."""
        self._edit(self.tr("Use an area for all images"), _with_area(self._scene["area"]), everywhere=True)

    def choose(self) -> None:
        kinds = self.tr("Polygons (*.gpkg *.shp *.geojson *.json *.fgb *.parquet);;All files (*)")
        path, _ = QFileDialog.getOpenFileName(
            self, self.tr("Area of interest"), self._scene.get("path", ""), kinds
        )
        if path:
            self.set_file(Path(path))

    def _refresh(self) -> None:
        scene = self._scene
        has_area = bool(scene.get("area") or scene.get("area_wkt"))
        self.state.setText(self._in_words(scene) if scene else self.tr("Select an image."))
        self.draw.setText(
            self.tr("Edit on the &map") if scene.get("area_wkt") else self.tr("&Draw on the map")
        )
        facts = self._facts.of(self._index) if scene else None
        drawable = facts is not None and not isinstance(facts, str)
        self.draw.setEnabled(drawable and len(self._indices) == 1)
        self.all_button.setEnabled(bool(scene.get("area")) and len(self._scenes) > 1)
        self.from_file.setEnabled(bool(scene))
        self.clear_button.setEnabled(has_area)

    def _in_words(self, scene: dict[str, Any]) -> str:
        if scene.get("area"):
            return self.tr("Only what lies in the polygons of {} is used.").format(scene["area"])
        if not scene.get("area_wkt"):
            return self.tr("All of the image is used.")
        facts = self._facts.of(self._index)
        if facts is None or isinstance(facts, str):
            return self.tr("Only what lies in the drawn area is used.")
        from geo_io.facts import drawn_area_ha  # loaded by now: the facts are there

        try:
            size = _size(drawn_area_ha(scene["area_wkt"], facts.grid))
        except BadInput as fault:
            return str(fault)
        return self.tr("Only the drawn area is used: {}.").format(size)

    def _build(self) -> None:
        self.state = QLabel(wordWrap=True)
        self.state.setAccessibleName(self.tr("Area of interest"))
        self.draw = QPushButton()
        self.draw.setAccessibleName(self.tr("Draw the area of interest on the map"))
        self.draw.setToolTip(
            self.tr("Draw rectangles and polygons on this image; nothing else of it is used")
        )
        self.draw.clicked.connect(lambda _: self.draw_requested.emit(self._index))
        self.from_file = QPushButton(self.tr("From a &file..."))
        self.from_file.setAccessibleName(self.tr("Take the area of interest from a file"))
        self.from_file.setToolTip(self.tr("Polygons in any coordinate reference system"))
        self.from_file.clicked.connect(lambda _: self.choose())
        self.clear_button = QPushButton(self.tr("&Use all"))
        self.clear_button.setAccessibleName(self.tr("Use all of the image"))
        self.clear_button.setToolTip(self.tr("Forget the area of interest"))
        self.clear_button.clicked.connect(lambda _: self.clear())
        self.all_button = QPushButton(self.tr("For all ima&ges"))
        self.all_button.setAccessibleName(self.tr("Use the file's area for all images"))
        self.all_button.setToolTip(self.tr("Takes the area of every image of this place from this file"))
        self.all_button.clicked.connect(lambda _: self.use_for_all())
        row = QHBoxLayout()
        for button in (self.draw, self.from_file, self.clear_button, self.all_button):
            row.addWidget(button)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.addWidget(self.state)
        layout.addLayout(row)
        layout.addStretch(1)


def _with_area(path: str) -> Callable[[Scene], Scene]:
    return lambda scene: without(scene, "area_wkt") | {"area": path}


def _size(hectares: float) -> str:
    return f"{hectares / 100:.4g} km²" if hectares >= 100 else f"{hectares:.3g} ha"
