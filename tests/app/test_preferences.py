"""Settings that outlive the window, and damaged ones that do not stop it."""

import os
from pathlib import Path
from typing import get_args

import pytest
from PySide6.QtCore import QByteArray

from app.preferences import WEIGHTS, Checkpoints, Preferences
from core.runs.supervise import CHECKPOINTS


def test_defaults_hold_where_nothing_was_set() -> None:
    fresh = Preferences()
    assert (fresh.theme, fresh.device, fresh.notifications, fresh.checkpoints) == (
        "system",
        "auto",
        True,
        "keep",
    )
    assert fresh.weights_folder is None


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


def test_runs_hear_what_becomes_of_their_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CHECKPOINTS, "")
    kept = Preferences()
    for wanted in get_args(Checkpoints):
        kept.checkpoints = wanted
        kept.export()
        assert os.environ[CHECKPOINTS] == wanted


def test_the_engine_hears_of_the_weights_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(WEIGHTS, raising=False)
    kept = Preferences()
    kept.weights_folder = tmp_path
    kept.export()
    assert os.environ[WEIGHTS] == str(tmp_path)
    kept.weights_folder = None
    kept.export()
    assert WEIGHTS not in os.environ
