"""The projects opened lately, those that are not to be found included: a disk may only be unplugged."""

from pathlib import Path

from app.preferences import MOST_RECENT, Preferences


def recent_projects() -> list[Path]:
    """Latest first."""
    stored = Preferences().settings.value("recent", [])
    texts = [stored] if isinstance(stored, str) else stored if isinstance(stored, list) else []
    return [Path(text) for text in texts if isinstance(text, str) and text]


def remember(path: Path) -> None:
    """Put `path` first."""
    _store([path, *(other for other in recent_projects() if other != path)][:MOST_RECENT])


def forget(path: Path) -> None:
    _store([other for other in recent_projects() if other != path])


def _store(paths: list[Path]) -> None:
    Preferences().settings.setValue("recent", [str(path) for path in paths])
