"""What a run made, on the target's map: its maps, how sure they are, and where they differ."""

from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject

from app.map.class_layers import ClassLayer, ConfidenceLayer, DifferenceLayer
from app.map.layers import Layer
from app.place_map import PlaceMap
from core.job import Job
from core.runs.map_files import CLASS_SUFFIX, map_path
from core.terms import Which
from geo_io.legend import Legend

What = Literal["chosen", "source-only", "adapted", "confidence", "disagreement", "swipe"]


class RunLayers(QObject):
    """Shows one thing of one run at a time on `target`, in place of what it showed before."""

    def __init__(self, target: PlaceMap, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._map = target
        self._keys: list[str] = []

    def show(self, run: Path, job: Job, stem: str, what: What) -> None:
        """Show the map of the target scene called `stem`; `swipe`: source-only left, adapted right."""
        self.hide()
        if what == "swipe":
            left, right = (self._class_layer(run, job, stem, which) for which in ("source-only", "adapted"))
            self._add(left)
            self._add(right)
            self._map.view.start_swipe([left], [right])
        else:
            self._add(self._layer(run, job, stem, what))

    def show_maps(self, legend: Legend, paths: list[Path]) -> None:
        """Show maps of other scenes, wherever they lie."""
        self.hide()
        for path in paths:
            name = self.tr("Map of {0}").format(path.name.removesuffix(CLASS_SUFFIX))
            self._add(ClassLayer(path, legend, name, self._map.view))
        self._map.view.fit()

    def hide(self) -> None:
        """Take it all from the map."""
        self._map.view.stop_swipe()
        for key in self._keys:
            self._map.hide_result(key)
        self._keys = []

    def _add(self, layer: Layer) -> None:
        key = f"run {len(self._keys)}"
        self._keys.append(key)
        self._map.show_result(key, layer)

    def _layer(self, run: Path, job: Job, stem: str, what: What) -> Layer:
        if what == "confidence":
            path = map_path(run, "chosen", stem, "confidence")
            return ConfidenceLayer(path, self.tr("Confidence {0}").format(stem), self._map.view)
        if what == "disagreement":
            before, after = (map_path(run, which, stem) for which in ("source-only", "adapted"))
            name = self.tr("Where the two maps of {0} differ").format(stem)
            return DifferenceLayer(before, after, job.legend, name, self._map.view)
        return self._class_layer(run, job, stem, "chosen" if what == "swipe" else what)

    def _class_layer(self, run: Path, job: Job, stem: str, which: Which) -> ClassLayer:
        names = {
            "chosen": self.tr("Map of {0}"),
            "source-only": self.tr("Source-only map of {0}"),
            "adapted": self.tr("Adapted map of {0}"),
        }
        path, sure = map_path(run, which, stem), map_path(run, which, stem, "confidence")
        return ClassLayer(path, job.legend, names[which].format(stem), self._map.view, sure)
