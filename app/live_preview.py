"""The live preview: the window asks for what it shows of the target, and shows what the run makes of it."""

from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from app.background import Background
from app.following import Follower
from app.map.class_layers import ClassLayer, ConfidenceLayer
from app.map.layers import RasterLayer
from app.place_map import PlaceMap
from core.events import AnyEvent, Pictured
from core.job import Job
from core.runs.run import ask_preview, open_run
from geo_io.grid import Box, Grid
from geo_io.scene import Scene

SETTLE_MS = 400
"""A view that still moves is not asked for."""
KEY, COMING = "preview", "preview to come"

Part = Literal["class", "confidence", "pseudo"]


class LivePreview(QObject):
    """Keeps the worker of one run and the map of its target on the same view. `failed` carries a sentence."""

    failed = Signal(str)

    def __init__(self, target: PlaceMap, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._map, self._part = target, "class"
        self._follower: Follower | None = None
        self._job: Job | None = None
        self._grids: list[Grid] = []
        self._on, self._every_steps = False, 50
        self._latest: Pictured | None = None
        self._background = Background(self)
        self._due = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._due.timeout.connect(self._ask)
        target.view.view_changed.connect(self._on_view)
        target.view.layer_opened.connect(self._on_opened)

    def follow(self, follower: Follower | None) -> None:
        """From now on, show previews of this run; None for none."""
        if follower is self._follower:
            return
        if self._follower is not None:
            self._follower.happened.disconnect(self._take)
        self._hide()
        self._follower, self._job, self._grids, self._latest = follower, None, [], None
        if follower is not None:
            follower.happened.connect(self._take)
            folder = follower.folder
            self._background.run(lambda: _opened(folder), self._set_job, self.failed.emit, "job")

    def set_on(self, on: bool, every_steps: int) -> None:
        """Have the visible window predicted every so many steps, or no more."""
        was_on, self._on, self._every_steps = self._on, on, every_steps
        if on or was_on:
            self._due.start()
        if not on:
            self._hide()

    def set_part(self, part: str) -> None:
        """Show "class", "confidence" or "pseudo" of each preview."""
        self._part = part
        if self._on:
            self._show()

    @Slot()
    def _on_view(self) -> None:
        if self._on:
            self._due.start()

    def _set_job(self, found: tuple[Job, list[Grid]]) -> None:
        self._job, self._grids = found
        if self._on:
            self._due.start()

    @Slot()
    def _ask(self) -> None:
        """Ask for the target scene that fills most of the view."""
        if self._follower is None or not self._grids:
            return
        if self._follower.state is not None and not self._follower.state.alive:
            return
        folder, every = self._follower.folder, self._every_steps
        boxes = [self._map.view.visible_box(grid) for grid in self._grids]
        best = max(range(len(boxes)), key=lambda i: boxes[i].width * boxes[i].height)
        seen: Box | None = boxes[best] if boxes[best].width * boxes[best].height else None
        scene = best if self._on and seen else None
        box = seen or Box(0, 0, 0, 0)
        self._background.run(
            lambda: ask_preview(folder, scene, box, every), lambda _: None, self.failed.emit, "ask"
        )

    @Slot(object)
    def _take(self, event: AnyEvent) -> None:
        if isinstance(event, Pictured) and event.what == "preview":
            self._latest = event
            if self._on and self._follower is not None and self._follower.live:
                self._show()

    def _show(self) -> None:
        """Add the new picture; the old one goes when the new one can be seen."""
        if self._follower is None or self._job is None or self._latest is None:
            return
        folder, found = self._follower.folder, {"class": self._latest.path, **self._latest.layers}
        paths = {part: folder / path for part, path in found.items()}
        self._map.show_result(COMING, self._layer(self._job, self._latest.step, paths))

    def _layer(self, job: Job, step: int | None, paths: dict[str, Path]) -> RasterLayer:
        """The part asked for; the classes, and a name that says so, where there is none of it."""
        what = {
            "class": self.tr("classes"),
            "confidence": self.tr("confidence"),
            "pseudo": self.tr("pseudo labels"),
        }
        part, words = self._part, what[self._part]
        if part not in paths:
            part, words = "class", self.tr("classes, there are no {0} yet").format(words)
        name = self.tr("Preview, step {0}: {1}").format(step, words)
        if part == "confidence":
            return ConfidenceLayer(paths[part], name, self._map.view)
        sure = paths.get("confidence") if part == "class" else None
        return ClassLayer(paths[part], job.legend, name, self._map.view, sure)

    @Slot(object)
    def _on_opened(self, layer: RasterLayer) -> None:
        if layer is self._map.result(COMING):
            self._map.rename_result(COMING, KEY)

    def _hide(self) -> None:
        for key in (KEY, COMING):
            self._map.hide_result(key)


def _opened(folder: Path) -> tuple[Job, list[Grid]]:
    """The run's job, and the grids of its target scenes."""
    job = open_run(folder).job
    grids = []
    for files in job.target.scenes:
        with Scene.open(files.path) as scene:
            grids.append(scene.grid)
    return job, grids
