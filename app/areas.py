"""Ground covered by each class of a run's maps, counted off the window's thread."""

from pathlib import Path
from threading import Event

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.background import Background
from core.comparison import Outcome
from core.map_files import Which, map_path
from geo_io.class_areas import class_areas

Areas = dict[Which, list[float]]
"""Square metres by class, by model."""


class AreaCount(QObject):
    """`counted` carries the folder and its Areas over all scenes; `failed` a sentence.

    What was counted once is remembered until a map is written anew.
    """

    counted = Signal(object, object)
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = Background(self)
        self._known: dict[tuple[tuple[Path, int], ...], Areas] = {}
        self._stop = Event()

    def count(self, outcome: Outcome) -> None:
        """Count the maps of both models; an earlier count that is not done is given up."""
        self.stop()
        self._stop = stop = Event()
        paths = _paths(outcome)
        stamp = tuple((path, path.stat().st_mtime_ns) for group in paths.values() for path in group)
        if stamp in self._known:
            self.counted.emit(outcome.folder, self._known[stamp])
            return

        def done(areas: Areas | None) -> None:
            if areas is not None:
                self._known[stamp] = areas
                self.counted.emit(outcome.folder, areas)

        work = _Count(paths, len(outcome.names), stop)
        self._background.run(work, done, self.failed.emit)

    def stop(self) -> None:
        """Give up at the next window."""
        self._stop.set()
        self._background.drop()


class _Count:
    """Sums the areas of each model's maps; None when stopped."""

    def __init__(self, paths: dict[Which, list[Path]], classes: int, stop: Event) -> None:
        self._paths, self._classes, self._stop = paths, classes, stop

    def __call__(self) -> Areas | None:
        total: Areas = {}
        for which, paths in self._paths.items():
            area_m2 = np.zeros(self._classes)
            for path in paths:
                counted = np.zeros(self._classes)
                for areas in class_areas(path, self._classes):
                    counted = areas.area_m2
                    if self._stop.is_set():
                        return None
                area_m2 += counted
            total[which] = [float(each) for each in area_m2]
        return total


def _paths(outcome: Outcome) -> dict[Which, list[Path]]:
    """Each model's maps of the scenes that it has mapped."""
    found: dict[Which, list[Path]] = {}
    for stem in outcome.stems:
        for which in outcome.models(stem):
            found.setdefault(which, []).append(map_path(outcome.folder, which, stem))
    return found
