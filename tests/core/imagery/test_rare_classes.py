"""T-RCS: rare classes are drawn as the formula says, and few classes do not collapse into one."""

from pathlib import Path

import numpy as np
import pytest
from engines import BANDS, bench_for, draw, job_for
from worlds import noise, write_raster

from core.bench import SOURCE
from core.draws import rng
from core.imagery.data import LEAST_SHARE, Domain
from core.imagery.rare_classes import class_probabilities

DRAWS = 5000
"""Enough to tell a temperature of 0.4 from one of 0.5."""


def test_probabilities_are_the_softmax_of_rarity() -> None:
    counts = np.array([700, 200, 100, 0])
    p = class_probabilities(counts, temperature=0.5)
    expected = np.exp((1 - counts[:3] / 1000) / 0.5)
    assert p[:3] == pytest.approx(expected / expected.sum())
    assert p[3] == 0


@pytest.mark.parametrize(
    "shares", [[0.017, 0.048, 0.146, 0.25, 0.269, 0.27], [0.02, 0.98], [1.0], [0.5, 0.5]]
)
def test_automatic_temperature_keeps_enough_classes_in_play(shares: list[float]) -> None:
    p = class_probabilities((np.array(shares) * 1e6).astype(np.int64))
    effective = np.exp(-(p[p > 0] * np.log(p[p > 0])).sum())
    assert effective >= len(shares) / 2
    assert (np.argsort(p) == np.argsort(-np.array(shares), kind="stable")).all() or len(set(shares)) < len(
        shares
    )


def test_no_pixels_is_refused() -> None:
    with pytest.raises(ValueError, match="no labelled"):
        class_probabilities(np.zeros(3, np.int64))


@pytest.fixture
def places(tmp_path: Path) -> Path:
    """A source in halves, with a town of 8 x 8 pixels."""
    draw(tmp_path)
    label = np.zeros((192, 192), np.uint8)
    label[:, 96:], label[76:84, 76:84] = 1, 2
    write_raster(tmp_path / "source.tif", noise(4, 192, 192, "uint16"), names=BANDS)
    write_raster(tmp_path / "source-labels.tif", label, nodata=255)
    return tmp_path


def source(places: Path, temperature: float | None) -> Domain:
    job = job_for(places, sampling={"rare_class_temperature": temperature})
    return bench_for(job, places / f"cache-{temperature}").domains[SOURCE]


def test_a_crop_drawn_for_a_class_holds_it(places: Path) -> None:
    """At the published temperature every draw is for the town. DAFormer's code draws crops again until one
    holds half of the least share; here the cell that holds the class lies within the crop."""
    domain = source(places, 0.01)
    crops = [domain.draw(rng(0, i)).label for i in range(100)]
    assert min((label == 2).sum() for label in crops) >= LEAST_SHARE / 2 * crops[0].size


def test_the_automatic_temperature_draws_for_other_classes_too(places: Path) -> None:
    domain = source(places, None)
    towns = [bool((domain.draw(rng(0, i)).label == 2).any()) for i in range(100)]
    assert 0.5 < np.mean(towns) < 0.9


def test_draws_follow_the_softmax_of_rarity(tmp_path: Path) -> None:
    """Of three classes so far apart that no crop shows two of them, in cells whose number does not matter."""
    draw(tmp_path)
    label = np.full((192, 384), 255, np.uint8)
    label[:, :128], label[:, 176:240], label[:, 288:320] = 0, 1, 2
    write_raster(tmp_path / "source.tif", noise(4, 192, 384, "uint16"), names=BANDS)
    write_raster(tmp_path / "source-labels.tif", label, nodata=255)
    domain = source(tmp_path, 0.4)
    rarity = np.exp((1 - domain.class_pixels / domain.class_pixels.sum()) / 0.4)
    shown = [set(np.unique(domain.draw(rng(0, i)).label)) - {255} for i in range(DRAWS)]
    assert max(map(len, shown)) == 1
    drawn = np.bincount([each.pop() for each in shown if each], minlength=3)
    assert np.abs(drawn / drawn.sum() - rarity / rarity.sum()).max() < 3 * np.sqrt(0.25 / DRAWS)
