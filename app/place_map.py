"""One place of the project on the map: its images, labels and outlines, and what runs made of it."""

import json
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from app.dropping import DropPlace
from app.edits import Document, Keys
from app.map.class_layers import LabelLayer, Labels
from app.map.image_layer import ImageLayer
from app.map.layers import Layer
from app.map.stretch import Stretch
from app.map.view import MapView
from app.place_outlines import PlaceOutlines
from core.imagery.places import open_labels
from geo_io.legend import Legend

LABEL_OPACITY = 0.6


class PlaceMap(DropPlace):
    """The map of `place` ("source" or "target"), kept like the project.

    Files dropped on it are told. `stretch_changed`: another image is the first, or there is none.
    """

    stretch_changed = Signal()

    def __init__(self, document: Document, place: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document, self._place = document, place
        self._shared: Stretch | None = None
        self._lent: Stretch | None = None
        self._legend: Legend | None = None
        self._labels_shown = False
        self.view = MapView(self)
        self.title = QLabel(self)
        self.title.setProperty("role", "heading")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(4, 2, 4, 2)
        self._column.addWidget(self.title)
        self._column.addWidget(self.view, 1)
        self._images: dict[str, ImageLayer] = {}
        self._labels: dict[str, LabelLayer] = {}
        self._told: dict[str, tuple[dict[str, Any], Legend]] = {}
        self._results: dict[str, Layer] = {}
        self.outlines = PlaceOutlines(document, place, self.view)
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

    def show_labels(self, shown: bool) -> None:
        """Show or hide the labels of all images, those to come too."""
        self._labels_shown = shown
        for layer in self._labels.values():
            layer.set_visible(shown)

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

    def close_map(self) -> None:
        """End the reads; for when the window closes."""
        self.view.stop()

    def _follow(self, keys: Keys) -> None:
        if keys and keys[0] not in (self._place, "legend"):
            return
        name = self._document.value(self._place, "name")
        self.title.setText(f"{self.word}: {name}" if name else self.word)
        if not keys:
            self._legend = None
        with self.view.at_once():
            self._keep(self._images, {path: partial(self._image, path) for path in self._paths()}, 0)
            self._pass_on()
            self._label()

    def _scenes(self) -> list[dict[str, Any]]:
        scenes: list[dict[str, Any]] = self._document.value(self._place, "scenes", default=[])
        return scenes

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

    def _pass_on(self) -> None:
        """Who took the stretch of an image that is gone takes that of the first one left."""
        if self.stretch is self._lent:
            return
        gone, self._lent = self._lent, self.stretch
        for layer in self._images.values():
            if layer.stretch is gone:
                layer.set_stretch(self.stretch)
        self.stretch_changed.emit()

    def _label(self) -> None:
        """Layers stay, shown or not, when the legend or the labels' options change: they are read again."""
        with suppress(ValidationError):  # half typed: the last that was whole
            self._legend = Legend.model_validate(self._document.value("legend", default={}))
        wanted: dict[str, Callable[[], Layer]] = {}
        told, self._told = self._told, {}
        for scene in self._scenes():
            labels = scene.get("labels", {})
            if self._legend is not None and labels.get("path"):
                key = json.dumps([scene["path"], labels["path"]])
                wanted[key] = partial(self._label_layer, scene["path"], labels, self._legend)
                self._told[key] = dict(labels), self._legend
        edited = [key for key in self._told if key in self._labels and told[key] != self._told[key]]
        for key in edited:
            labels, legend = self._told[key]
            self._labels[key].relabel(_opener(labels, legend), legend)
        if edited:
            self.view.layers_changed.emit()
        self._keep(self._labels, wanted, len(self._images))

    def _label_layer(self, path: str, labels: dict[str, Any], legend: Legend) -> LabelLayer:
        name = self.tr("Labels {0}").format(Path(labels["path"]).name)
        layer = LabelLayer(Path(path), _opener(labels, legend), legend, name, self.view)
        layer.set_opacity(LABEL_OPACITY)
        layer.set_visible(self._labels_shown)
        return layer


def _opener(labels: dict[str, Any], legend: Legend) -> Callable[[], Labels]:
    options = {key: value for key, value in labels.items() if key not in ("path", "use")}
    return partial(open_labels, Path(labels["path"]), legend, **options)
