"""T-E2E: on places drawn so that it is known, what training is worth is what the run's own scores say."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from engines import BANDS, job_for, run_for, work
from worlds import noise, write_raster

from core.files import read_json

pytestmark = pytest.mark.usefixtures("few_crops")

LEVELS = np.array([[40, 90, 140], [150, 50, 100], [60, 120, 160], [160, 90, 30]])
"""What each of four bands shows of each of three classes."""


def draw_place(folder: Path, name: str, seed: int, gain: Sequence[int], offset: Sequence[int]) -> None:
    """64 fields of 16 x 16 px, of all classes alike, seen with a gain and an offset in each band."""
    fields = np.random.default_rng(seed).permutation(np.arange(64) % 3).reshape(8, 8).astype(np.uint8)
    label = fields.repeat(16, 0).repeat(16, 1)
    plain = LEVELS[:, label] + noise(4, 128, 128, seed=seed) / 5
    image = plain * np.reshape(gain, (4, 1, 1)) + np.reshape(offset, (4, 1, 1))
    write_raster(folder / f"{name}.tif", image.astype(np.uint16), names=BANDS)
    write_raster(folder / f"{name}-labels.tif", label, nodata=255)


def scores(folder: Path, learnt_from: str, method: str, seed: int = 3, steps: int = 60) -> dict[str, float]:
    """Each model's mIoU on `target` after training on the labels of `learnt_from`."""
    labelled = {"path": f"{learnt_from}.tif", "labels": f"{learnt_from}-labels.tif"}
    job = job_for(
        folder,
        method,
        seed=seed,
        source={"scenes": [labelled]},
        schedule={"steps": steps, "lr": 2e-3, "checkpoint_every": 1000},
        oracle=learnt_from == "target",
    )
    run = run_for(job, folder / f"run-{learnt_from}")
    work(run)
    return {model: found["miou"] for model, found in read_json(run.folder / "scores.json").items()}


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_gain_and_an_offset_of_each_band_cost_nothing_and_neither_does_adapting(
    tmp_path: Path, seed: int
) -> None:
    """Each place is standardised by its own statistics."""
    draw_place(tmp_path, "source", 1, [10, 10, 10, 10], [300, 300, 300, 300])
    draw_place(tmp_path, "target", 2, [25, 5, 14, 20], [900, 0, 100, 4000])
    found = scores(tmp_path, "source", "combined", seed, steps=120)
    assert found["source-only"] > 0.7
    assert found["adapted"] > found["source-only"] - 0.03


def test_where_bands_are_inverted_the_targets_own_labels_are_far_above_the_sources(tmp_path: Path) -> None:
    """Which standardisation cannot undo."""
    draw_place(tmp_path, "source", 1, [10, 10, 10, 10], [300, 300, 300, 300])
    draw_place(tmp_path, "target", 2, [-10, -10, 10, -10], [3000, 3000, 300, 3000])
    source_only, oracle = (scores(tmp_path, place, "source_only") for place in ("source", "target"))
    assert source_only["source-only"] < 0.2
    assert oracle["source-only"] > 0.7
