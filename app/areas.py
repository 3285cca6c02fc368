"""Ground covered by each class of a run's maps, counted off the window's thread."""

from pathlib import Path
from threading import Event

import numpy as np
from PySide6.QtCore import QCoreApplication, QObject, Signal

from app.background import Background
from core.judging.comparison import Outcome
from core.runs.map_files import map_path
from core.terms import Which
from geo_io.class_areas import class_areas

Areas = dict[Which, list[float]]
"""Square metres by class, by model."""
Stamp = tuple[tuple[Path, int], ...]
"""Maps and when each was written."""


class AreaCount(QObject):
    """`counted` carries the folder and its Areas over all scenes; `failed` a sentence.

    What was counted once is remembered until a map is written anew.
    """

    counted = Signal(object, object)
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = Background(self, "areas")
        self._known: dict[Stamp, Areas] = {}
        self._stop = Event()
        if application := QCoreApplication.instance():
            application.aboutToQuit.connect(self.stop)

    def count(self, outcome: Outcome) -> None:
        """Count the maps of both models; an earlier count that is not done is given up."""
        self.stop()
        self._stop = stop = Event()

        def done(found: tuple[Stamp, Areas] | None) -> None:
            if found is not None:
                stamp, areas = found
                self._known[stamp] = areas
                self.counted.emit(outcome.folder, areas)

        self._background.run(_Count(outcome, dict(self._known), stop), done, self.failed.emit)

    def stop(self) -> None:
        """Give up at the next window."""
        self._stop.set()
        self._background.drop()


class _Count:
    """Sums the areas of each model's maps, unless they are known; None when stopped."""

    def __init__(self, outcome: Outcome, known: dict[Stamp, Areas], stop: Event) -> None:
        self._outcome, self._known, self._stop = outcome, known, stop
        self._classes = len(outcome.names)

    def __call__(self) -> tuple[Stamp, Areas] | None:
        groups = _paths(self._outcome)
        stamp = tuple((path, path.stat().st_mtime_ns) for group in groups.values() for path in group)
        areas = self._known.get(stamp) or self._count(groups)
        return None if areas is None else (stamp, areas)

    def _count(self, groups: dict[Which, list[Path]]) -> Areas | None:
        total: Areas = {}
        for which, paths in groups.items():
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
