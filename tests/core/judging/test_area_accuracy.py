"""Area-adjusted accuracy: the worked examples of both papers, to the digits printed."""

import math

import numpy as np
import pytest

from core.errors import BadInput
from core.judging.area_accuracy import Sample, allocate, assess, sample_size

# Olofsson et al. 2014, table 8: deforestation, forest gain, stable forest, stable non-forest.
COUNTS = np.array([[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]])
MAP_PX = np.array([200_000.0, 150_000.0, 3_200_000.0, 6_450_000.0])
PIXEL_HA = 0.09


def from_counts(counts: np.ndarray, sizes: np.ndarray) -> Sample:
    mapped, truth = (np.repeat(index, counts.ravel()) for index in np.indices(counts.shape).reshape(2, -1))
    return Sample(mapped, mapped, truth, sizes)


def eq_7(j: int) -> float:
    """The standard error of a producer's accuracy as the paper writes it, class by class."""
    n, px = COUNTS.sum(1), MAP_PX
    users = COUNTS[j, j] / n[j]
    truth_px = (px * COUNTS[:, j] / n).sum()
    producers = px[j] * users / truth_px
    own = px[j] ** 2 * (1 - producers) ** 2 * users * (1 - users) / (n[j] - 1)
    share = COUNTS[:, j] / n
    others = np.delete(px**2 * share * (1 - share) / (n - 1), j).sum()
    return float(math.sqrt(own + producers**2 * others) / truth_px)


def test_the_example_of_olofsson() -> None:
    found = assess(from_counts(COUNTS, MAP_PX), 4)
    assert round(found.overall.value, 2) == 0.95
    assert round(found.overall.margin, 2) == 0.02
    users = [(round(e.value, 2), round(e.margin, 2)) for e in found.users]
    assert users == [(0.88, 0.07), (0.73, 0.10), (0.93, 0.04), (0.96, 0.02)]
    producers = [(round(e.value, 2), round(e.margin, 2)) for e in found.producers]
    # The paper prints 0.23 and 0.01 for the second and the fourth, against its own equation 7: see below.
    assert producers == [(0.75, 0.21), (0.85, 0.25), (0.93, 0.03), (0.96, 0.02)]
    assert [e.margin for e in found.producers] == pytest.approx([1.96 * eq_7(j) for j in range(4)])
    hectares = [e.value * MAP_PX.sum() * PIXEL_HA for e in found.area_shares]
    margins = [e.margin * MAP_PX.sum() * PIXEL_HA for e in found.area_shares]
    assert [round(a) for a in hectares] == [21_158, 11_686, 285_770, 581_386]
    assert [round(m) for m in margins] == [6_158, 3_756, 15_510, 16_282]


def test_the_sample_size_of_olofsson() -> None:
    expected = np.array([0.70, 0.60, 0.90, 0.95])
    assert sample_size(MAP_PX / MAP_PX.sum(), expected, 0.01) == 641


def test_the_example_of_stehman_where_strata_are_another_maps() -> None:
    strata = "AAAAAAAAAABBBBBBBBBBCCCCCCCCCCDDDDDDDDDD"
    mapped = "AAAAAAABBBABBBBBBBBBBBCCCCCCBBDDDDDDDDDD"
    truth = "AAAAACBABCABBBBBAABBCCCCCDDBBADDDDDDDCCB"
    stratum, seen, true = (np.array(["ABCD".index(c) for c in text]) for text in (strata, mapped, truth))
    found = assess(Sample(stratum, seen, true, np.array([40_000.0, 30_000.0, 20_000.0, 10_000.0])), 4)
    assert found.overall == pytest.approx((0.63, 0.085), abs=5e-4)
    assert found.users[1] == pytest.approx((0.5744681, 0.1248023))
    assert found.users[2] == pytest.approx((0.5, 0.2151657))
    assert found.producers[0] == pytest.approx((0.6571429, 0.1477318))
    assert found.producers[1] == pytest.approx((0.7941176, 0.1165671))
    assert found.area_shares[0] == pytest.approx((0.35, 0.082), abs=5e-4)
    expected = [[0.23, 0.04, 0.04, 0], [0.12, 0.27, 0.08, 0], [0, 0.02, 0.06, 0.04], [0, 0.01, 0.02, 0.07]]
    assert found.matrix == pytest.approx(np.array(expected))


def test_the_matrix_adds_up_and_a_class_that_is_nowhere_is_no_number() -> None:
    found = assess(from_counts(COUNTS, MAP_PX), 5)
    assert found.matrix.sum() == pytest.approx(1)
    assert math.isnan(found.users[4].value)
    assert math.isnan(found.producers[4].error)
    assert found.area_shares[4] == (0, 0)


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    generator = np.random.default_rng(0)
    sizes, wrong = np.array([9000.0, 1000.0]), np.array([0.05, 0.3])
    area_of_one = (9000 * 0.05 + 1000 * 0.7) / 10_000
    covered = 0
    for _ in range(400):
        mapped = np.repeat([0, 1], [150, 50])
        truth = np.where(generator.random(200) < wrong[mapped], 1 - mapped, mapped)
        share = assess(Sample(mapped, mapped, truth, sizes), 2).area_shares[1]
        covered += abs(share.value - area_of_one) <= share.margin
    assert 0.91 <= covered / 400 <= 0.98


def test_a_stratum_with_one_point_is_refused() -> None:
    with pytest.raises(BadInput, match="stratum 1: has 1 labelled"):
        Sample(np.array([0, 0, 1]), np.array([0, 0, 1]), np.array([0, 0, 1]), np.array([5.0, 5.0]))


def test_rare_classes_get_their_least_and_the_rest_is_shared() -> None:
    points = allocate(np.array([0.02, 0.0, 0.30, 0.68]), 500, np.full(4, 50))
    assert points.tolist() == [50, 0, 138, 312]
    assert allocate(np.array([0.5, 0.5]), 10, np.full(2, 50)).tolist() == [50, 50]
