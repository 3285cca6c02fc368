"""What the user has set once for all projects. Kept in a file of the window's own."""

import os
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar, cast, get_args

from PySide6.QtCore import QByteArray, QSettings, QStandardPaths

from core.runs.supervise import CHECKPOINTS

Theme = Literal["system", "light", "dark"]
Checkpoints = Literal["keep", "delete"]
Value = TypeVar("Value", str, int, bool)

MOST_RECENT = 10
TILE_CACHE_MIB = (64, 16_384)
WEIGHTS = "ISTHMUS_WEIGHTS"

_given = os.environ.get(WEIGHTS)


class _Kept(Generic[Value]):
    """A property kept in the settings file; a damaged or foreign value reads as the default."""

    def __init__(self, default: Value, bounds: tuple[int, int] | None = None) -> None:
        self._default: Value = default
        self._bounds = bounds

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: "Preferences", owner: type) -> Value:
        # The file holds texts until Qt writes it anew: "true" and "512".
        text = str(instance.settings.value(self._name, self._default)).strip()
        found: Any = self._default
        if isinstance(found, bool):
            found = {"true": True, "false": False}.get(text.lower(), found)
        elif isinstance(found, int):
            found = self._within(int(text)) if text.isdecimal() else found
        else:
            found = text
        return cast(Value, found)

    def __set__(self, instance: "Preferences", value: Value) -> None:
        kept = self._within(value) if isinstance(value, int) and not isinstance(value, bool) else value
        instance.settings.setValue(self._name, kept)

    def _within(self, value: int) -> int:
        low, high = self._bounds or (value, value)
        return min(max(value, low), high)


class Preferences:
    """Typed settings. Every instance reads and writes the same file, so none needs to be handed around."""

    device = _Kept("auto")
    tile_cache_mib = _Kept(512, TILE_CACHE_MIB)
    notifications = _Kept(True)
    _theme = _Kept("system")
    _checkpoints = _Kept("keep")
    _weights_folder = _Kept("")

    def __init__(self) -> None:
        room = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericConfigLocation)
        self.settings = QSettings(f"{room}/isthmus/window.ini", QSettings.Format.IniFormat)

    @property
    def theme(self) -> Theme:
        return next((theme for theme in get_args(Theme) if theme == self._theme), "system")

    @theme.setter
    def theme(self, value: Theme) -> None:
        self._theme = value

    @property
    def checkpoints(self) -> Checkpoints:
        """What becomes of a run's checkpoints once it is finished: nothing resumes from them any more."""
        return "delete" if self._checkpoints == "delete" else "keep"

    @checkpoints.setter
    def checkpoints(self, value: Checkpoints) -> None:
        self._checkpoints = value

    @property
    def weights_folder(self) -> Path | None:
        """Where `<encoder>.safetensors` files are; None for the engine's own choice."""
        return Path(self._weights_folder) if self._weights_folder else None

    @weights_folder.setter
    def weights_folder(self, folder: Path | None) -> None:
        self._weights_folder = str(folder) if folder else ""

    def export(self) -> None:
        """Tell the engine's processes and runs that are started from now on, through the environment."""
        if self.weights_folder:
            os.environ[WEIGHTS] = str(self.weights_folder)
        elif _given is None:
            os.environ.pop(WEIGHTS, None)
        else:
            os.environ[WEIGHTS] = _given
        os.environ[CHECKPOINTS] = self.checkpoints

    def bytes(self, name: str) -> QByteArray:
        """A window's geometry or state as Qt gave it; empty where none was kept."""
        value = self.settings.value(f"window/{name}")
        return value if isinstance(value, QByteArray) else QByteArray()

    def keep_bytes(self, name: str, value: QByteArray) -> None:
        self.settings.setValue(f"window/{name}", value)
