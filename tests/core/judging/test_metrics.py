"""Scores against an oracle that loops over pixels and knows only the definitions."""

import json
import math

import numpy as np
import pytest

from core.judging.metrics import Confusion

NAMES = ["a", "b", "c", "d"]


def oracle(truth: list[int], seen: list[int], c: int) -> dict[str, float]:
    pairs = [(t, s) for t, s in zip(truth, seen, strict=True) if t != 255 and s != 255]
    both = sum(t == c and s == c for t, s in pairs)
    either = sum(t == c or s == c for t, s in pairs)
    true, found = sum(t == c for t, _ in pairs), sum(s == c for _, s in pairs)
    nan = math.nan
    return {
        "iou": both / either if true else nan,
        "f1": 2 * both / (true + found) if true else nan,
        "recall": both / true if true else nan,
        "precision": both / found if true and found else nan,
    }


def drawn(seed: int, classes: list[int]) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.choice([*classes, 255], (17, 13)).astype(np.uint8)
    seen = np.where(rng.random(truth.shape) < 0.5, truth, rng.choice([0, 1, 2, 255], truth.shape))
    return truth, seen.astype(np.uint8)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("classes", [[0, 1, 2, 3], [0, 2], [3]])
def test_every_score_is_the_definition(seed: int, classes: list[int]) -> None:
    truth, seen = drawn(seed, classes)
    confusion = Confusion(4)
    for row_truth, row_seen in zip(truth, seen, strict=True):
        confusion.add(row_truth, row_seen)
    scores = confusion.scores(NAMES)
    expected = [oracle(truth.ravel().tolist(), seen.ravel().tolist(), c) for c in range(4)]
    for what in ("iou", "f1", "recall", "precision"):
        found = [scores["classes"][name][what] for name in NAMES]
        got = [math.nan if score is None else score for score in found]
        assert np.allclose(got, [e[what] for e in expected], equal_nan=True), what
    ious = [e["iou"] for e in expected if not math.isnan(e["iou"])]
    assert scores["miou"] == pytest.approx(sum(ious) / len(ious))


def test_accuracy_and_kappa_of_a_worked_example() -> None:
    # 20 + 15 of 50 agree; marginals 30/20 and 25/25, so agreement by chance is 0.5 and kappa 0.4.
    confusion = Confusion(2)
    truth = np.repeat([0, 0, 1, 1], [20, 10, 5, 15]).astype(np.uint8)
    confusion.add(truth, np.repeat([0, 1, 0, 1], [20, 10, 5, 15]).astype(np.uint8))
    scores = confusion.scores(["yes", "no"])
    assert scores["accuracy"] == pytest.approx(0.7)
    assert scores["kappa"] == pytest.approx(0.4)
    assert scores["confusion"] == [[20, 10], [5, 15]]


def test_an_absent_class_is_null_and_its_false_positives_cost_the_true_class() -> None:
    confusion = Confusion(3)
    confusion.add(np.array([0, 0, 1, 1], np.uint8), np.array([0, 2, 1, 1], np.uint8))
    scores = confusion.scores(["a", "b", "never"])
    assert {name: each["iou"] for name, each in scores["classes"].items()} == {
        "a": 0.5,
        "b": 1.0,
        "never": None,
    }
    assert scores["miou"] == 0.75
    assert "NaN" not in json.dumps(scores)


def test_what_was_not_predicted_is_counted_and_not_scored() -> None:
    confusion = Confusion(2)
    confusion.add(np.array([0, 1, 1, 255], np.uint8), np.array([0, 1, 255, 255], np.uint8))
    scores = confusion.scores(["a", "b"])
    assert (scores["unpredicted"], scores["pixels"], scores["miou"]) == (1, 2, 1.0)


def test_nothing_counted_gives_nulls() -> None:
    scores = Confusion(2).scores(["a", "b"])
    assert (scores["miou"], scores["accuracy"], scores["kappa"], scores["pixels"]) == (None, None, None, 0)


def test_an_id_beyond_the_classes_is_refused() -> None:
    with pytest.raises(ValueError, match="beyond the 2 classes"):
        Confusion(2).add(np.array([0], np.uint8), np.array([2], np.uint8))


def test_merging_is_adding() -> None:
    truth, seen = drawn(1, [0, 1, 2])
    whole, half = Confusion(4), Confusion(4)
    whole.add(truth, seen)
    half.add(truth[:8], seen[:8])
    rest = Confusion(4)
    rest.add(truth[8:], seen[8:])
    half.merge(rest)
    assert half.scores(NAMES) == whole.scores(NAMES)
