"""T-Q-1 and T-BDL-1: how far pseudo labels are trusted."""

import pytest
import torch

from core.parts.pseudo_labels import BINS, ClassTrust, image_trust


def two_classes(confidence: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    """(1, h, w) confidences of the labelled class -> (1, 3, h, w) probabilities."""
    p = ((1 - confidence) / 2).unsqueeze(1).repeat(1, 3, 1, 1)
    return p.scatter(1, label.unsqueeze(1), confidence.unsqueeze(1))


def test_image_trust_is_the_share_of_confident_pixels_threshold_included() -> None:
    confidence = torch.full((1, 4, 4), 0.5)
    confidence[0, 0] = 0.75
    found = image_trust(
        two_classes(confidence, torch.zeros(1, 4, 4, dtype=torch.long)), torch.ones(1, 4, 4) > 0, 0.75
    )
    assert torch.allclose(found.weight, torch.tensor(0.25))


def test_image_trust_counts_valid_pixels_alone() -> None:
    confidence = torch.full((1, 4, 4), 0.99)
    valid = torch.ones(1, 4, 4, dtype=torch.bool)
    valid[0, 2:] = False
    confidence[0, 0] = 0.5
    found = image_trust(two_classes(confidence, torch.zeros(1, 4, 4, dtype=torch.long)), valid)
    assert torch.allclose(found.weight[valid], torch.tensor(0.5))
    assert (found.label[~valid] == 255).all()
    assert (found.weight[~valid] == 0).all()


@pytest.mark.parametrize(
    ("confidences", "threshold"), [([0.4, 0.45, 0.95], 0.45), ([0.99, 0.99, 0.99], 0.9), ([], 0.0)]
)
def test_class_threshold_is_the_median_below_the_cap_and_nought_for_an_absent_class(
    confidences: list[float], threshold: float
) -> None:
    trust = ClassTrust(3)
    label = torch.ones(1, 1, max(len(confidences), 1), dtype=torch.long)
    valid = torch.full(label.shape, bool(confidences))
    trust.learn(two_classes(torch.tensor([[confidences or [0.9]]]), label), valid)
    assert trust.thresholds[1].item() == pytest.approx(threshold, abs=1.5 / BINS)
    assert trust.thresholds[0].item() == 0


def test_each_class_keeps_its_surer_half_even_a_timid_one() -> None:
    trust = ClassTrust(3)
    confidence = torch.cat([torch.linspace(0.4, 0.6, 100), torch.linspace(0.7, 0.99, 100)]).view(1, 2, 100)
    label = torch.stack([torch.ones(100), torch.zeros(100)]).long().unsqueeze(0)
    valid = torch.ones(1, 2, 100, dtype=torch.bool)
    p = two_classes(confidence, label)
    trust.learn(p, valid)
    found = trust.label(p, valid)
    kept = (found.label == label).float().mean(2)[0]
    assert kept[0].item() == pytest.approx(0.5, abs=0.02)
    assert kept[1].item() == pytest.approx(0.5, abs=0.02)
    assert torch.equal(found.weight > 0, found.label != 255)


def test_nodata_is_neither_counted_nor_labelled() -> None:
    trust = ClassTrust(3)
    p = two_classes(torch.full((1, 2, 2), 0.9), torch.zeros(1, 2, 2, dtype=torch.long))
    nothing = torch.zeros(1, 2, 2, dtype=torch.bool)
    trust.learn(p, nothing)
    assert trust.histogram.sum() == 0
    assert (trust.label(p, nothing).label == 255).all()


def test_q_of_a_batch_is_one_for_all_its_images() -> None:
    p = torch.full((2, 2, 2, 2), 0.5)
    p[0, 0], p[0, 1] = 0.99, 0.01
    everywhere = torch.ones(2, 2, 2, dtype=torch.bool)
    assert image_trust(p, everywhere).weight[:, 0, 0].tolist() == [1.0, 0.0]
    assert image_trust(p, everywhere, scope="batch").weight[:, 0, 0].tolist() == [0.5, 0.5]
