"""T-RCS: rare classes are drawn as the formula says, and few classes do not collapse into one."""

import numpy as np
import pytest

from core.parts.rare_classes import class_probabilities


def test_draws_follow_the_softmax_of_rarity() -> None:
    counts = np.array([700, 200, 100, 0])
    p = class_probabilities(counts, temperature=0.5)
    expected = np.exp((1 - counts[:3] / 1000) / 0.5)
    assert p[:3] == pytest.approx(expected / expected.sum())
    assert p[3] == 0
    drawn = np.bincount(np.random.default_rng(0).choice(4, 10_000, p=p), minlength=4) / 10_000
    assert np.abs(drawn - p).max() < 3 * np.sqrt(0.25 / 10_000)


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
