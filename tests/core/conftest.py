"""What many tests of the engine begin with."""

from pathlib import Path

import pytest
from engines import draw

from core.judging import signals


@pytest.fixture
def places(tmp_path: Path) -> Path:
    """Two drawn places (`engines.draw`)."""
    draw(tmp_path)
    return tmp_path


@pytest.fixture
def few_crops(monkeypatch: pytest.MonkeyPatch) -> None:
    """For where judging is not what is tested."""
    monkeypatch.setattr(signals, "CROPS", 4)
