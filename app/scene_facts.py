"""The facts of a place's scenes, read in the background and kept as long as the project lists them."""

from collections.abc import Hashable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal

from app.background import Background
from app.edits import Document, Keys

if TYPE_CHECKING:  # rasterio is only loaded where an image is read, on another thread
    from geo_io.facts import SceneFacts

OPTIONS = ("bands", "band_names", "nodata", "invalid_when")
TELL_MS = 50


class FactsReader(QObject):
    """Facts by the position of a scene in the place ("source" or "target").

    `changed` comes, gathered over some milliseconds, whenever any of them may be different.
    """

    changed = Signal()

    def __init__(self, document: Document, place: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document, self._place = document, place
        self._known: dict[Hashable, SceneFacts | str] = {}
        self._asked: set[Hashable] = set()
        self._background = Background(self)
        self._tell = QTimer(self, singleShot=True, interval=TELL_MS)
        self._tell.timeout.connect(self.changed)
        document.changed.connect(self._follow)
        self._ask()

    @property
    def facts(self) -> "list[SceneFacts | None]":
        """Of each scene in the project's order; None while unread or unreadable."""
        found = [self._known.get(self._request(i)) for i in range(len(self._scenes))]
        return [None if isinstance(each, str) else each for each in found]

    def of(self, index: int) -> "SceneFacts | str | None":
        """Of one scene: its facts, the sentence why there are none, or None while they are being read."""
        return self._known.get(self._request(index)) if index < len(self._scenes) else None

    @property
    def reading(self) -> bool:
        return bool(self._asked)

    def refresh(self) -> None:
        """Read all files again: they may have changed on disk."""
        self._known.clear()
        self._ask()

    @property
    def _scenes(self) -> list[dict[str, Any]]:
        scenes: list[dict[str, Any]] = self._document.value(self._place, "scenes", default=[])
        return scenes

    def _follow(self, keys: Keys) -> None:
        if not keys or keys[0] == self._place:
            self._ask()

    def _request(self, index: int) -> tuple[Hashable, ...]:
        """What decides the facts of a scene."""
        options = (self._document.value(self._place, name) for name in OPTIONS)
        frozen = (tuple(value) if isinstance(value, list) else value for value in options)
        return (str(self._scenes[index].get("path", "")), *frozen)

    def _ask(self) -> None:
        wanted = {self._request(i) for i in range(len(self._scenes))}
        for stale in self._asked - wanted:
            self._background.drop(stale)
        self._known = {key: found for key, found in self._known.items() if key in wanted}
        self._asked &= wanted
        for request in wanted - self._known.keys() - self._asked:
            self._asked.add(request)
            take = partial(self._take, request)
            self._background.run(partial(_read, request), take, take, key=request)
        self._tell.start()

    def _take(self, request: Hashable, found: "SceneFacts | str") -> None:
        self._asked.discard(request)
        self._known[request] = found
        self._tell.start()


def _read(request: tuple[Any, ...]) -> "SceneFacts":
    from geo_io.facts import scene_facts

    path, *options = request
    given = {name: value for name, value in zip(OPTIONS, options, strict=True) if value is not None}
    return scene_facts(Path(path), **given)
