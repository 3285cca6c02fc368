"""Footprints and areas of interest of one place on its map: shown, picked, drawn and edited."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.background import Background
from app.edits import Document, Keys
from app.map.edit_tool import EditTool
from app.map.outlines import Outline, OutlineLayer
from app.map.tools import ToggleTool
from app.map.view import MapView
from app.project import REMOVE
from core.errors import BadInput
from geo_io.facts import SceneFacts
from geo_io.ground import Ring, moved
from geo_io.rings import of_file, of_wkt, shared_area, to_wkt

FOOTPRINTS, AREAS = "#1d6fb8", "#c2410c"
_EDGE_PARTS = 8


class PlaceOutlines(QObject):
    """Outlines of the scenes of `place` ("source" or "target") on `view`, kept like the project.

    `scene_picked` carries a scene's position in the place's list, -1 beside all, `failed` a sentence.
    """

    scene_picked = Signal(int)

    failed = Signal(str)

    def __init__(self, document: Document, place: str, view: MapView) -> None:
        super().__init__(view)
        self._document, self._place, self._view = document, place, view
        self._footprints = OutlineLayer(self.tr("Footprints"), FOOTPRINTS, self)
        self._areas = OutlineLayer(self.tr("Areas of interest"), AREAS, self)
        self._facts: dict[str, SceneFacts] = {}
        self._background = Background(self)
        self._files: dict[tuple[str, str | None], list[Ring]] = {}
        self._selected = -1
        self._tool: EditTool | None = None
        self._edited = ""
        for layer in (self._footprints, self._areas):
            view.add(layer)
        view.picked.connect(self._on_picked)
        view.drawn.connect(self._on_drawn)
        view.edited.connect(self._on_edited)
        document.changed.connect(self._follow)
        self._outline()

    def set_facts(self, facts: Sequence[SceneFacts | None]) -> None:
        """What is known of the scenes."""
        self._facts = {str(each.path): each for each in facts if each is not None}
        self._outline()
        self._hold()

    def select(self, index: int) -> None:
        """Mark a scene's footprint; -1 for none."""
        self._selected = index
        self._outline()

    def zoom_to(self, index: int) -> None:
        facts = self._facts_of(index)
        if facts is not None:
            self._view.fit_ring(list(facts.footprint), facts.grid.crs_wkt)

    def edit_area(self, index: int) -> bool:
        """Take a scene's drawn areas in hand, to change their corners; False where it has none."""
        rings = self._on_map(index)
        if not rings:
            return False
        self._edited, self._tool = self._path(index), EditTool(self._view, rings)
        self._view.set_tool(self._tool)
        return True

    def _on_map(self, index: int) -> list[Ring]:
        """The areas drawn on a scene, in the map's CRS; none before its facts are known."""
        facts = self._facts_of(index)
        if facts is None:
            return []
        return [moved(ring, facts.grid.crs_wkt, self._view.crs_wkt) for ring in self._drawn(index)]

    def _hold(self) -> None:
        """The tool in hand holds what the project does, undone or not; it goes with its image's last area."""
        if self._tool is None or self._view.tool is not self._tool:
            return
        index = self._edited_at()
        rings = self._on_map(index)
        if rings:
            self._tool.take(rings)
        elif not self._drawn(index):
            self._view.set_tool(None)

    def _edited_at(self) -> int:
        """Where the scene being edited stands by now, -1 for nowhere."""
        paths = (i for i in range(len(self._scenes())) if self._path(i) == self._edited)
        return next(paths, -1)

    def _follow(self, keys: Keys) -> None:
        if not keys or keys[0] == self._place:
            self._outline()
            self._hold()

    def _scenes(self) -> list[dict[str, Any]]:
        scenes: list[dict[str, Any]] = self._document.value(self._place, "scenes", default=[])
        return scenes

    def _scene(self, index: int) -> dict[str, Any]:
        scenes = self._scenes()
        return scenes[index] if 0 <= index < len(scenes) else {}

    def _facts_of(self, index: int) -> SceneFacts | None:
        return self._facts.get(self._path(index))

    def _path(self, index: int) -> str:
        return str(Path(self._scene(index).get("path", "")))

    def _outline(self) -> None:
        footprints, areas = [], []
        for index, scene in enumerate(self._scenes()):
            facts = self._facts_of(index)
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
        if not isinstance(self._view.tool, ToggleTool):
            self.scene_picked.emit(index)
        elif index >= 0:
            self._toggle(index)

    def _toggle(self, index: int) -> None:
        included = self._scene(index).get("include", True)
        text = self.tr("Leave an image out") if included else self.tr("Take an image in")
        keys = (self._place, "scenes", index, "include")
        self._document.change(text, {keys: False if included else REMOVE})

    def _on_drawn(self, ring: Ring, crs_wkt: str) -> None:
        """A new ring belongs to the selected scene if it overlaps that, else to the one it covers most of."""
        try:
            to_wkt([ring], None, None)
        except BadInput as fault:
            self.failed.emit(str(fault))
            return
        over = [self._overlap(index, ring, crs_wkt) for index in range(len(self._scenes()))]
        if not any(over):
            text = self.tr("the area lies beside all images of the {}; draw it over one of them")
            self.failed.emit(text.format(self._place))
            return
        selected = 0 <= self._selected < len(over) and over[self._selected] > 0
        index = self._selected if selected else over.index(max(over))
        facts = self._facts_of(index)
        assert facts is not None
        own = moved(ring, crs_wkt or None, facts.grid.crs_wkt, edge=_EDGE_PARTS)
        self._put_rings(index, [*self._drawn(index), own], self.tr("Draw an area of interest"))

    def _on_edited(self, rings: Sequence[Ring], crs_wkt: str) -> None:
        index = self._edited_at()
        facts = self._facts_of(index)
        if facts is not None:
            own = [moved(ring, crs_wkt or None, facts.grid.crs_wkt) for ring in rings]
            self._put_rings(index, own, self.tr("Change an area of interest"))

    def _put_rings(self, index: int, rings: Sequence[Ring], text: str) -> None:
        keys = (self._place, "scenes", index)
        try:
            wkt = to_wkt(rings, None, None) if rings else REMOVE
        except BadInput as fault:
            self.failed.emit(str(fault))
            self._hold()
            return
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

    def _overlap(self, index: int, ring: Ring, crs_wkt: str) -> float:
        """What of a ring lies in a scene's footprint, as a share of that."""
        facts = self._facts_of(index)
        if facts is None:
            return 0.0
        inside = moved(ring, crs_wkt or None, facts.grid.crs_wkt, edge=_EDGE_PARTS)
        footprint = list(facts.footprint)
        return shared_area(inside, footprint) / (shared_area(footprint, footprint) or 1.0)
