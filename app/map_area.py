"""Source and target side by side, with the tools that both share."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QSplitter, QTabWidget, QToolBar, QVBoxLayout, QWidget

from app.edits import Document
from app.map.edit_tool import EditTool
from app.map.feed import Identified
from app.map.layer_list import LayerList
from app.map.link import Link
from app.map.offer import OverviewOffer
from app.map.scale import Readout, ScaleBar
from app.map.tools import IdentifyTool, PolygonTool, RectangleTool, ToggleTool, Tool
from app.map.view import MapView
from app.panels.identified import IdentifiedPanel
from app.place_map import PlaceMap
from app.theme import icon

TOOLS: dict[str, type[Tool]] = {
    "pan": Tool,
    "identify": IdentifyTool,
    "pick": ToggleTool,
    "rectangle": RectangleTool,
    "polygon": PolygonTool,
}
EDIT = "edit"


class MapArea(QWidget):
    """Two maps, one toolbar, and a list of each map's layers (`layers`, for a dock of its own).

    `edit_area_requested` asks to take the selected scene's area in hand, `hint` carries what the tool in
    hand does, `failed` a sentence.
    """

    edit_area_requested = Signal()
    hint = Signal(str)
    failed = Signal(str)

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.source = PlaceMap(document, "source", self)
        self.target = PlaceMap(document, "target", self)
        self.maps = {"source": self.source, "target": self.target}
        self.layers = QTabWidget()
        self.layers.setAccessibleName(self.tr("Layers"))
        self.identified = IdentifiedPanel()
        self.splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self.offers = [self._add_map(place_map) for place_map in self.maps.values()]
        self._link: Link | None = None
        self.layers.addTab(self.identified, self.tr("&Identify"))
        self.bar = QToolBar(self.tr("Map tools"), self)
        self.bar.setAccessibleName(self.tr("Map tools"))
        self.tools = QActionGroup(self)
        self.actions_by_name: dict[str, QAction] = {}
        self._make_tools()
        self._make_views()
        self._lend_stretches()
        self.source.stretch_changed.connect(self._follow_stretch)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.bar)
        layout.addWidget(self.splitter, 1)

    @property
    def active(self) -> PlaceMap:
        """The map alone in sight, else the one that has the keyboard, else the target's."""
        shown = [place_map for place_map in self.maps.values() if not place_map.isHidden()]
        if len(shown) == 1:
            return shown[0]
        return self.source if self.source.isAncestorOf(self.focusWidget() or self.target) else self.target

    def take_tool(self, name: str) -> None:
        """Take a tool in hand on both maps: "pan", "identify", "pick", "rectangle"..."""
        for place_map in self.maps.values():
            place_map.view.set_tool(TOOLS[name](place_map.view))

    def _tell_tool(self, view: MapView) -> None:
        """Mark and explain the tool in hand; while areas are edited on one map the other is only moved."""
        for place_map in self.maps.values():
            other = place_map.view
            if isinstance(view.tool, EditTool) and other is not view and type(other.tool) is not Tool:
                other.set_tool(None)
        names = {make: name for name, make in TOOLS.items()}
        self.actions_by_name[names.get(type(view.tool), EDIT)].setChecked(True)
        self.hint.emit(view.tool.hint)

    def _ask_edit(self) -> None:
        """Whoever knows the selected image answers by taking its area in hand."""
        self.edit_area_requested.emit()
        editing = (m.view for m in self.maps.values() if isinstance(m.view.tool, EditTool))
        self._tell_tool(next(editing, self.target.view))

    def show_places(self, *places: str) -> None:
        """Show one of the two maps, or both."""
        for place, place_map in self.maps.items():
            place_map.setVisible(place in places)

    def reveal(self, place: str) -> None:
        """See to it that one of the maps is in sight."""
        if self.maps[place].isHidden():
            self.actions_by_name["two-places"].trigger()

    def share_stretch(self, shared: bool) -> None:
        """Show equal values of both places in equal colours, so that their difference is seen."""
        self.target.share_stretch(self.source.stretch if shared else None)

    def resize_caches(self, capacity_bytes: int) -> None:
        """What both maps together may remember."""
        for place_map in self.maps.values():
            place_map.view.feed.cache.resize(capacity_bytes // 2)

    def _lend_stretches(self) -> None:
        """Let each map's layers take the stretch of the other's."""
        for this, other in ((0, self.target), (1, self.source)):
            page = self.layers.widget(this)
            assert isinstance(page, LayerList)
            page.look.peers = [other.view]

    def close_maps(self) -> None:
        """End all reads; for when the window closes."""
        for place_map in self.maps.values():
            place_map.close_map()
        for offer in self.offers:
            offer.stop()

    def _add_map(self, place_map: PlaceMap) -> OverviewOffer:
        view = place_map.view
        view.identified.connect(self._show_identified)
        offer = OverviewOffer(view, place_map)
        offer.failed.connect(self.failed)
        place_map.outlines.failed.connect(self.failed)
        place_map.put_above(offer)
        place_map.put_below(Readout(view, place_map))
        ScaleBar(view)
        self.splitter.addWidget(place_map)
        self.layers.addTab(LayerList(view), place_map.word)
        return offer

    def _make_tools(self) -> None:
        tr = self.tr
        tips = {
            "pan": (tr("Move"), tr("Drag to move, wheel to zoom, click a footprint to select it"), "M"),
            "identify": (tr("Identify"), tr("Values, class and coordinates under a click"), "I"),
            "pick": (tr("In or out"), tr("Click footprints to leave images out, or take them in again"), "T"),
            "rectangle": (tr("Rectangle"), tr("Draw a rectangular area of interest"), "R"),
            "polygon": (tr("Polygon"), tr("Draw an area of interest corner by corner"), "P"),
        }
        for name, (text, tip, key) in tips.items():
            action = self._action(name, text, tip, key, partial(self.take_tool, name))
            action.setCheckable(True)
            self.tools.addAction(action)
        self.actions_by_name["pan"].setChecked(True)
        tip = tr("Change the corners of the selected image's areas, or remove one")
        edit = self._action(EDIT, tr("Edit area"), tip, "E", self._ask_edit)
        edit.setCheckable(True)
        self.tools.addAction(edit)
        for place_map in self.maps.values():
            place_map.view.tool_changed.connect(partial(self._tell_tool, place_map.view))
        self.bar.addSeparator()

    def _make_views(self) -> None:
        tr, act = self.tr, self._action
        act("whole", tr("Whole"), tr("See all of both places"), "Home", self._fit)
        act("zoom-in", tr("Zoom in"), tr("Zoom in"), "Ctrl++", lambda: self.active.view.zoom(2))
        act("zoom-out", tr("Zoom out"), tr("Zoom out"), "Ctrl+-", lambda: self.active.view.zoom(0.5))
        self.bar.addSeparator()
        shown = QActionGroup(self)
        for name, text, tip, key, places in (
            ("source-only", tr("Source only"), tr("The source alone"), "1", ["source"]),
            ("two-places", tr("Both places"), tr("Source and target side by side"), "B", list(self.maps)),
            ("target-only", tr("Target only"), tr("The target alone"), "2", ["target"]),
        ):
            action = act(name, text, tip, key, partial(self.show_places, *places))
            action.setCheckable(True)
            shown.addAction(action)
        self.actions_by_name["two-places"].setChecked(True)
        self.linked = act(
            "link",
            tr("Link"),
            tr("Both maps move together and show the same metres per pixel"),
            "L",
            self._toggle_link,
        )
        self.shared = act(
            "stretch",
            tr("Same colours"),
            tr("Equal values of both places in equal colours: the gap between them is seen"),
            "C",
            lambda: self.share_stretch(self.shared.isChecked()),
        )
        self.labels = act(
            "labels", tr("Labels"), tr("Show or hide the labels of all images"), "K", self._toggle_labels
        )
        for action in (self.linked, self.shared, self.labels):
            action.setCheckable(True)

    def _action(self, name: str, text: str, tip: str, key: str, slot: Callable[[], object]) -> QAction:
        action = QAction(icon(name), text, self, toolTip=f"{tip} ({key})")
        action.setShortcut(QKeySequence(key))
        action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        action.triggered.connect(lambda _checked=False: slot())
        self.addAction(action)
        self.bar.addAction(action)
        self.actions_by_name[name] = action
        return action

    @Slot(object)
    def _show_identified(self, found: Identified) -> None:
        self.identified.show_answer(found)
        self.layers.setCurrentWidget(self.identified)

    def _fit(self) -> None:
        for place_map in self.maps.values():
            place_map.view.fit()

    @Slot()
    def _follow_stretch(self) -> None:
        if self.shared.isChecked():
            self.share_stretch(True)

    def _toggle_labels(self) -> None:
        for index, place_map in enumerate(self.maps.values()):
            place_map.show_labels(self.labels.isChecked())
            page = self.layers.widget(index)
            assert isinstance(page, LayerList)
            page.fill()

    def _toggle_link(self) -> None:
        if self._link is not None:
            self._link.release()
        self._link = Link(self.source.view, self.target.view) if self.linked.isChecked() else None
