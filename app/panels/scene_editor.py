"""What the editors of scenes have in common: which scenes, and where they stand in the project."""

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtWidgets import QWidget

from app.edits import Document, Keys

Scene = dict[str, Any]


class SceneEditor(QWidget):
    """Edits a part of the scenes shown last, which looks as in the first of them.

    Refreshes when its place, or one of `also`, changes.
    """

    also: tuple[str, ...] = ()

    def __init__(self, document: Document, place: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document, self._place = document, place
        self._indices: Sequence[int] = []

    def show_scenes(self, indices: Sequence[int]) -> None:
        """Show scenes by their positions."""
        self._indices = indices
        self._refresh()

    @property
    def _scenes(self) -> list[Scene]:
        scenes: list[Scene] = self._document.value(self._place, "scenes", default=[])
        return scenes

    @property
    def _index(self) -> int:
        """Of the first scene shown, -1 for none."""
        return self._indices[0] if self._indices else -1

    @property
    def _scene(self) -> Scene:
        scene: Scene = self._document.value(self._place, "scenes", self._index, default={})
        return scene

    def _edit(
        self, text: str, edited: Callable[[Scene], Scene], merge: str = "", everywhere: bool = False
    ) -> None:
        """One undoable edit of the scenes shown, or of all of the place: what `edited` makes of each."""
        scenes = [
            edited(scene) if everywhere or index in self._indices else scene
            for index, scene in enumerate(self._scenes)
        ]
        self._document.change(text, {(self._place, "scenes"): scenes}, merge)

    def _follow(self, keys: Keys) -> None:
        if not keys or keys[0] in (self._place, *self.also):
            self._refresh()

    def _refresh(self) -> None:
        raise NotImplementedError


def without(scene: Scene, *names: str) -> Scene:
    """A copy that lacks some entries."""
    return {name: value for name, value in scene.items() if name not in names}
