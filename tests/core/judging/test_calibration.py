"""Reliability and temperature: made-up answers whose calibration is known; check labels only ever scored."""

from pathlib import Path

import pytest
import torch
from engines import bench_for, draw, job_for

from core.bench import Bench
from core.judging.calibration import PIXELS, Answers
from core.judging.signals import distance, measure_signals
from core.judging.target_calibration import target_calibration


def answers(sharpness: float, pixels: int = 1600) -> Answers:
    """A model whose logits are `sharpness` times what they ought to be: labels are drawn from the latter."""
    torch.manual_seed(0)
    logits = 2 * torch.randn(1, 4, 40, pixels // 40)
    drawn = torch.multinomial(logits[0].flatten(1).softmax(0).T, 1).view(1, 40, -1)
    found = Answers()
    found.add((sharpness * logits).softmax(1), drawn)
    return found


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_a_model_that_says_too_much_or_too_little(sharpness: float) -> None:
    found = answers(sharpness)
    assert found.temperature() == pytest.approx(sharpness, rel=0.15)
    assert found.error(found.temperature()) < 0.04
    if sharpness != 1:
        assert found.error() > 0.1


def test_bins_are_the_mean_confidence_the_share_right_and_the_share_of_pixels() -> None:
    found = Answers()
    probabilities = torch.tensor([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.5, 0.5]]).T.view(1, 2, 2, 2)
    found.add(probabilities, torch.tensor([[[0, 1], [1, 255]]]))
    low, high = found.bins()
    assert low == pytest.approx((0.6, 1.0, 1 / 3))
    assert high == pytest.approx((0.9, 0.5, 2 / 3))
    assert found.error() == pytest.approx(0.4 / 3 + 0.4 * 2 / 3)


def test_of_a_large_crop_pixels_are_taken_evenly() -> None:
    label = torch.arange(3 * PIXELS).view(1, 1, -1) % 2
    found = Answers()
    found.add(torch.full((1, 2, 1, 3 * PIXELS), 0.5), label)
    assert len(found) == PIXELS
    assert found.label.double().mean() == 0.5


def test_shares_apart_are_at_distance_one_and_need_not_add_up() -> None:
    assert distance([0.2, 0.8], [0.1, 0.4]) == pytest.approx(0)
    assert distance([1, 0], [0, 1]) == pytest.approx(1)
    assert 0 < distance([0.5, 0.5], [0.6, 0.4]) < distance([0.5, 0.5], [0.9, 0.1]) < 1


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("places")
    draw(folder)
    job = job_for(folder).model_copy(update={"expected_shares": {"town": 0.9}})
    return bench_for(job, folder / "cache")


def test_a_models_signals_hold_its_calibration_and_how_far_its_shares_are(bench: Bench) -> None:
    found = measure_signals(bench, bench.segmentor).signals
    assert found.reliability
    assert sum(share for _, _, share in found.reliability) == pytest.approx(1)
    assert found.calibration_error_tempered < found.calibration_error
    source = [float(n) for n in bench.domains["source"].class_pixels]
    expected = [source[0] / sum(source), source[1] / sum(source), 0.9]
    assert found.prior_shift == pytest.approx(distance(found.shares, expected))


def test_check_labels_say_what_the_temperature_is_worth_on_the_target(bench: Bench) -> None:
    found = target_calibration(bench, {"temperature": 1.0})
    assert found["calibration_error"] == found["calibration_error_tempered"]
    flat = target_calibration(bench, {"temperature": 20.0})
    assert flat["calibration_error"] == found["calibration_error"] != flat["calibration_error_tempered"]
    assert target_calibration(bench, {}) == {}


def test_without_check_labels_of_a_mapped_scene_nothing_is_said(tmp_path: Path) -> None:
    draw(tmp_path)
    job = job_for(tmp_path, target={"scenes": [{"path": "target.tif"}]})
    assert target_calibration(bench_for(job, tmp_path / "cache"), {"temperature": 1.0}) == {}


def test_check_labels_are_read_and_not_left_with_the_domain(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    add = Answers.add

    def listen(self: Answers, probabilities: torch.Tensor, label: torch.Tensor) -> None:
        seen.append(label)
        add(self, probabilities, label)

    monkeypatch.setattr(Answers, "add", listen)
    target_calibration(bench, {"temperature": 1.0})
    assert bench.domains["target"].places[0].labels is None, "training still sees none"
    counts = torch.cat([label.flatten() for label in seen]).bincount(minlength=256)
    assert (counts[:3] > 0).all()
