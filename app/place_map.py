"""One place of the project on the map: its images, labels, footprints and areas, and what runs made of it."""

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from app.background import Background
from app.edits import Document, Keys
from app.map.class_layers import LabelLayer
from app.map.edit_tool import EditTool
from app.map.image_layer import ImageLayer
from app.map.layers import Layer
from app.map.outlines import Outline, OutlineLayer
from app.map.stretch import Stretch
from app.map.tools import ToggleTool
from app.map.view import MapView
from app.project import REMOVE
from core.errors import BadInput
from core.places import open_labels
from geo_io.facts import SceneFacts
from geo_io.ground import Ring, moved
from geo_io.legend import Legend
from geo_io.rings import of_file, of_wkt, to_wkt

FOOTPRINTS, AREAS = "#1d6fb8", "#c2410c"
LABEL_OPACITY = 0.6
_EDGE_PARTS = 8


class PlaceMap(QWidget):
    """The map of `place` ("source" or "target"), kept like the project.

    `scene_picked` carries a scene's position in the place's list, -1 beside all, `failed` a
    sentence.
    """

    scene_picked = Signal(int)

    failed = Signal(str)

    def __init__(self, document: Document, place: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document, self._place = document, place
        self._shared: Stretch | None = None
        self.view = MapView(self)
        self.title = QLabel(self)
        self.title.setProperty("role", "heading")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(4, 2, 4, 2)
        self._column.addWidget(self.title)
        self._column.addWidget(self.view, 1)
        self._footprints = OutlineLayer(self.tr("Footprints"), FOOTPRINTS, self)
        self._areas = OutlineLayer(self.tr("Areas of interest"), AREAS, self)
        self._facts: Sequence[SceneFacts | None] = []
        self._images: dict[str, ImageLayer] = {}
        self._labels: dict[str, LabelLayer] = {}
        self._results: dict[str, Layer] = {}
        self._background = Background(self)
        self._files: dict[tuple[str, str | None], list[Ring]] = {}
        self._selected = -1
        self._edited: tuple[int, int] | None = None
        for layer in (self._footprints, self._areas):
            self.view.add(layer)
        self.view.picked.connect(self._on_picked)
        self.view.drawn.connect(self._on_drawn)
        self.view.edited.connect(self._on_edited)
        document.changed.connect(self._follow)
        self._follow(())

    @property
    def word(self) -> str:
        """What the place is."""
        return {"source": self.tr("Source"), "target": self.tr("Target")}[self._place]

    def put_above(self, widget: QWidget) -> None:
        """Place a widget between title and map."""
        self._column.insertWidget(1, widget)

    def put_below(self, widget: QWidget) -> None:
        """Place a widget under the map."""
        self._column.addWidget(widget)

    def set_facts(self, facts: Sequence[SceneFacts | None]) -> None:
        """What is known of the scenes, in the project's order."""
        self._facts = facts
        self._outline()

    def show_labels(self, shown: bool) -> None:
        """Show or hide the labels of all images."""
        for layer in self._labels.values():
            layer.set_visible(shown)

    def select(self, index: int) -> None:
        """Mark a scene's footprint; -1 for none."""
        self._selected = index
        self._outline()

    def zoom_to(self, index: int) -> None:
        facts = self._facts_of(index)
        if facts is not None:
            self.view.fit_ring(list(facts.footprint), facts.grid.crs_wkt)

    def show_result(self, key: str, layer: Layer) -> None:
        """Show what a run made, above the images and below the outlines, in place of what had that key."""
        self.hide_result(key)
        self._results[key] = layer
        self.view.add(layer, len(self._images) + len(self._labels) + len(self._results) - 1)

    def result(self, key: str) -> Layer | None:
        return self._results.get(key)

    def hide_result(self, key: str) -> None:
        """Take it from the map."""
        layer = self._results.pop(key, None)
        if layer is not None:
            self._let_go(layer)

    def rename_result(self, key: str, to: str) -> None:
        """Let it take the place of what had the key `to`."""
        self.hide_result(to)
        self._results[to] = self._results.pop(key)

    def edit_area(self, index: int) -> bool:
        """Take a scene's first drawn area in hand, to move its corners; False where it has none."""
        rings = self._drawn(index)
        facts = self._facts_of(index)
        if not rings or facts is None:
            return False
        self._edited = (index, 0)
        self.view.set_tool(EditTool(self.view, moved(rings[0], facts.grid.crs_wkt, self.view.crs_wkt)))
        return True

    def close_map(self) -> None:
        """End the reads; for when the window closes."""
        self.view.stop()

    def _follow(self, keys: Keys) -> None:
        if keys and keys[0] not in (self._place, "legend"):
            return
        name = self._document.value(self._place, "name")
        self.title.setText(f"{self.word}: {name}" if name else self.word)
        self._keep(self._images, {path: partial(self._image, path) for path in self._paths()}, 0)
        self._keep(self._labels, self._wanted_labels(), len(self._images))
        self._outline()

    def _scenes(self) -> list[dict[str, Any]]:
        scenes: list[dict[str, Any]] = self._document.value(self._place, "scenes", default=[])
        return scenes

    def _scene(self, index: int) -> dict[str, Any]:
        scenes = self._scenes()
        return scenes[index] if 0 <= index < len(scenes) else {}

    def _facts_of(self, index: int) -> SceneFacts | None:
        return self._facts[index] if 0 <= index < len(self._facts) else None

    def _paths(self) -> list[str]:
        return list(dict.fromkeys(scene["path"] for scene in self._scenes() if scene.get("path")))

    def _keep(self, have: dict[str, Any], wanted: dict[str, Callable[[], Layer]], below: int) -> None:
        """Add what is wanted and missing, and remove the rest; `below` layers lie under these."""
        for key in have.keys() - wanted.keys():
            self._let_go(have.pop(key))
        for key, make in wanted.items():
            if key not in have:
                have[key] = make()
                self.view.add(have[key], below + len(have) - 1)

    def _let_go(self, layer: Layer) -> None:
        """A child of the view would live as long as that; a run shows thousands of previews."""
        self.view.remove(layer)
        layer.deleteLater()

    def _image(self, path: str) -> ImageLayer:
        return ImageLayer(Path(path), (), self._shared or self.stretch, "", self.view)

    @property
    def stretch(self) -> Stretch | None:
        """That of the place's first image, which its other images share."""
        first = next(iter(self._images.values()), None)
        return first.own_stretch if first else None

    def share_stretch(self, stretch: Stretch | None) -> None:
        """Show a value in the same colour as another place does; None: as this place's first image does."""
        self._shared = stretch
        for layer in self._images.values():
            layer.set_stretch(stretch or self.stretch)

    def _wanted_labels(self) -> dict[str, Callable[[], Layer]]:
        try:
            legend = Legend.model_validate(self._document.value("legend", default={}))
        except ValidationError:
            return {}
        found: dict[str, Callable[[], Layer]] = {}
        for scene in self._scenes():
            if scene.get("labels", {}).get("path"):
                key = json.dumps([scene["path"], scene["labels"], legend.model_dump()], sort_keys=True)
                found[key] = partial(self._label_layer, scene["path"], scene["labels"], legend)
        return found

    def _label_layer(self, path: str, labels: dict[str, Any], legend: Legend) -> LabelLayer:
        options = {key: value for key, value in labels.items() if key not in ("path", "use")}
        opener = partial(open_labels, Path(labels["path"]), legend, **options)
        name = self.tr("Labels {0}").format(Path(labels["path"]).name)
        layer = LabelLayer(Path(path), opener, legend, name, self.view)
        layer.set_opacity(LABEL_OPACITY)
        layer.set_visible(False)
        return layer

    def _outline(self) -> None:
        footprints, areas = [], []
        for index, (scene, facts) in enumerate(zip(self._scenes(), self._facts, strict=False)):
            if facts is None:
                continue
            crs, included = facts.grid.crs_wkt, scene.get("include", True)
            selected = index == self._selected
            ring = list(facts.footprint)
            footprints.append(Outline(str(index), facts.path.stem, ring, crs, selected, included))
            rings = self._drawn(index) or self._from_file(scene.get("area"), crs)
            for part, drawn in enumerate(rings):
                areas.append(Outline(f"{index} {part}", "", drawn, crs, selected))
        self._footprints.set_outlines(footprints)
        self._areas.set_outlines(areas)

    def _on_picked(self, outline: str) -> None:
        index = int(outline.split()[0]) if outline else -1
        if not isinstance(self.view.tool, ToggleTool):
            self.scene_picked.emit(index)
        elif index >= 0:
            self._toggle(index)

    def _toggle(self, index: int) -> None:
        included = self._scene(index).get("include", True)
        text = self.tr("Leave an image out") if included else self.tr("Take an image in")
        keys = (self._place, "scenes", index, "include")
        self._document.change(text, {keys: False if included else REMOVE})

    def _on_drawn(self, ring: Ring, crs_wkt: str) -> None:
        """A new ring belongs to the selected scene, or to the one under its middle."""
        index = self._selected if self._selected >= 0 else self._under(ring, crs_wkt)
        facts = self._facts_of(index)
        if facts is not None:
            own = moved(ring, crs_wkt or None, facts.grid.crs_wkt, edge=_EDGE_PARTS)
            self._put_rings(index, [*self._drawn(index), own])

    def _on_edited(self, ring: Ring, crs_wkt: str) -> None:
        if self._edited is None:
            return
        index, part = self._edited
        facts = self._facts_of(index)
        rings = self._drawn(index)
        if facts is not None and part < len(rings):
            rings[part] = moved(ring, crs_wkt or None, facts.grid.crs_wkt)
            self._put_rings(index, rings)

    def _put_rings(self, index: int, rings: Sequence[Ring]) -> None:
        keys = (self._place, "scenes", index)
        try:
            wkt = to_wkt(rings, None, None)
        except BadInput as fault:
            self.failed.emit(str(fault))
            return
        text = self.tr("Draw an area of interest")
        self._document.change(text, {(*keys, "area_wkt"): wkt, (*keys, "area"): REMOVE})

    def _drawn(self, index: int) -> list[Ring]:
        """The areas drawn on a scene, in its own CRS; none where the text is broken, which preflight says."""
        text = self._scene(index).get("area_wkt")
        try:
            return of_wkt(text, None, None) if text else []
        except BadInput:
            return []

    def _from_file(self, path: str | None, crs_wkt: str | None) -> list[Ring]:
        """Those of a file as far as they are read; they are outlined once they are."""
        if not path:
            return []
        key = (path, crs_wkt)
        if key not in self._files:
            self._files[key] = []
            self._background.run(
                lambda: of_file(Path(path), crs_wkt), partial(self._take_file, key), self.failed.emit, key
            )
        return self._files[key]

    def _take_file(self, key: tuple[str, str | None], rings: list[Ring]) -> None:
        self._files[key] = rings
        self._outline()

    def _under(self, ring: Ring, crs_wkt: str) -> int:
        """The scene whose footprint holds the middle of a ring; -1 where none does."""
        x, y = (sum(values) / len(ring) for values in zip(*ring, strict=True))
        for index, facts in enumerate(self._facts):
            if facts is not None:
                (at,) = moved([(x, y)], crs_wkt or None, facts.grid.crs_wkt)
                col, row = ~facts.grid.transform @ at
                if 0 <= col <= facts.grid.width and 0 <= row <= facts.grid.height:
                    return index
        return -1
