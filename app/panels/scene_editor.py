"""What the editors of one scene have in common: which scene, and where it stands in the project."""

from typing import Any

from PySide6.QtWidgets import QWidget

from app.edits import Document, Keys


class SceneEditor(QWidget):
    """Edits a part of the scene shown last. Refreshes when its place, or one of `also`, changes."""

    also: tuple[str, ...] = ()

    def __init__(self, document: Document, place: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document, self._place, self._index = document, place, -1

    def show_scene(self, index: int) -> None:
        """Show a scene; -1 for none."""
        self._index = index
        self._refresh()

    @property
    def _scene(self) -> dict[str, Any]:
        scene: dict[str, Any] = self._document.value(self._place, "scenes", self._index, default={})
        return scene

    def _keys(self, *names: str) -> Keys:
        return (self._place, "scenes", self._index, *names)

    def _follow(self, keys: Keys) -> None:
        if not keys or keys[0] in (self._place, *self.also):
            self._refresh()

    def _refresh(self) -> None:
        raise NotImplementedError
