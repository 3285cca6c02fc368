"""Settings that outlive the window, and damaged ones that do not stop it."""

from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray

from app.preferences import MOST_RECENT, Preferences


def test_defaults_hold_where_nothing_was_set() -> None:
    fresh = Preferences()
    assert (fresh.theme, fresh.device, fresh.notifications, fresh.checkpoints) == (
        "system",
        "auto",
        True,
        "keep",
    )
    assert fresh.weights_folder is None
    assert fresh.engine_environment == {}


def test_every_setting_is_read_back_by_another_window(tmp_path: Path) -> None:
    one = Preferences()
    one.theme, one.device, one.notifications, one.checkpoints = "dark", "cuda:1", False, "delete"
    one.tile_cache_mib, one.weights_folder = 1024, tmp_path
    one.keep_bytes("geometry", QByteArray(b"\x00\xff"))
    one.settings.sync()
    other = Preferences()
    assert (other.theme, other.device, other.notifications, other.checkpoints) == (
        "dark",
        "cuda:1",
        False,
        "delete",
    )
    assert (other.tile_cache_mib, other.weights_folder) == (1024, tmp_path)
    assert other.engine_environment == {"ISTHMUS_WEIGHTS": str(tmp_path)}
    assert other.bytes("geometry").data() == b"\x00\xff"


@pytest.mark.parametrize(
    ("name", "damaged"), [("_theme", "pink"), ("tile_cache_mib", "many"), ("_checkpoints", "burn")]
)
def test_damaged_settings_read_as_defaults(name: str, damaged: str) -> None:
    kept = Preferences()
    fresh = (kept.theme, kept.tile_cache_mib, kept.checkpoints)
    kept.settings.setValue(name, damaged)
    assert (kept.theme, kept.tile_cache_mib, kept.checkpoints) == fresh


def test_sizes_stay_within_bounds() -> None:
    kept = Preferences()
    kept.tile_cache_mib = 1
    assert kept.tile_cache_mib == 64


def test_recent_projects_are_few_latest_first_and_exist(tmp_path: Path) -> None:
    kept = Preferences()
    paths = [tmp_path / f"{i}.yaml" for i in range(MOST_RECENT + 2)]
    for path in paths:
        path.touch()
        kept.add_recent(path)
    kept.add_recent(paths[5])
    paths[-1].unlink()
    assert kept.recent[0] == paths[5]
    assert len(kept.recent) == MOST_RECENT - 1
    assert len(set(kept.recent)) == len(kept.recent)
