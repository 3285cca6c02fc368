"""T-ADV-4, T-ADV-5 and how losses treat weights and unlabelled pixels."""

import math
from typing import get_args

import pytest
import torch

from core.networks.outputs import Batch, Detail, Outputs
from core.parts.losses import MeanOver, cross_entropy, entropy, pixel_cross_entropy, self_information


def batch(label: torch.Tensor, weight: torch.Tensor) -> Batch:
    return Batch(torch.zeros(len(label), 1, *label.shape[1:]), label, weight, label != 255)


def test_self_information_of_uniform_one_hot_and_any_probabilities() -> None:
    uniform = self_information(torch.full((1, 5, 2, 2), 0.2))
    assert torch.allclose(uniform, torch.full_like(uniform, 1 / 5))
    assert torch.allclose(uniform.sum(1), torch.ones(1, 2, 2))
    one_hot = torch.zeros(1, 5, 2, 2)
    one_hot[:, 3] = 1
    assert self_information(one_hot).abs().max() == 0
    any_map = self_information(
        torch.softmax(torch.randn(4, 5, 8, 8, generator=torch.Generator().manual_seed(0)), 1)
    )
    assert any_map.min() >= 0
    assert any_map.max() <= 1 / (math.e * math.log(5)) + 1e-6


def test_entropy_of_uniform_is_one_and_counts_valid_pixels_alone() -> None:
    valid = torch.ones(1, 4, 4, dtype=torch.bool)
    logits = torch.zeros(1, 3, 4, 4)
    assert entropy(logits, valid).item() == pytest.approx(1)
    logits[..., 2:] = 50 * torch.eye(3)[0].view(1, 3, 1, 1)
    valid[..., :2] = False
    assert entropy(logits, valid).item() == pytest.approx(0, abs=1e-6)
    assert entropy(logits, torch.zeros_like(valid)).item() == 0


def test_cross_entropy_is_a_mean_over_labelled_pixels_that_weights_lower() -> None:
    logits = torch.randn(1, 3, 2, 2, generator=torch.Generator().manual_seed(1))
    label = torch.tensor([[[0, 255], [2, 255]]])
    each = -torch.log_softmax(logits, 1)
    expected = (each[0, 0, 0, 0] + each[0, 2, 1, 0]) / 2
    ones = torch.ones(1, 2, 2)
    assert pixel_cross_entropy(logits, label, ones).item() == pytest.approx(expected.item())
    assert pixel_cross_entropy(logits, label, 0.25 * ones).item() == pytest.approx(0.25 * expected.item())
    assert pixel_cross_entropy(logits, torch.full_like(label, 255), ones).item() == 0


def test_over_all_pixels_unlabelled_ones_weaken_the_loss() -> None:
    logits = torch.randn(1, 3, 2, 4, generator=torch.Generator().manual_seed(1))
    label, weight = torch.tensor([[[0, 255, 1, 1], [2, 255, 255, 255]]]), torch.full((1, 2, 4), 0.5)
    labelled, every = (pixel_cross_entropy(logits, label, weight, mean) for mean in get_args(MeanOver))
    assert every.item() == pytest.approx(labelled.item() * 4 / 8)


@pytest.mark.parametrize("mean_over", get_args(MeanOver))
def test_cross_entropy_crops_the_label_for_a_detail_and_counts_heads_if_asked(
    mean_over: MeanOver,
) -> None:
    torch.manual_seed(2)
    label, weight = torch.randint(0, 3, (2, 6, 6)), torch.rand(2, 6, 6)
    label[:, :2] = 255
    main, head, detail = torch.randn(2, 3, 6, 6), torch.randn(2, 3, 6, 6), torch.randn(2, 3, 2, 4)
    seen = Outputs(main, [head], detail=Detail(detail, (1, 2, 2, 4), 0.1))
    expected = 0.9 * pixel_cross_entropy(main, label, weight, mean_over) + 0.1 * pixel_cross_entropy(
        detail, label[:, 1:3, 2:6], weight[:, 1:3, 2:6], mean_over
    )
    assert cross_entropy(seen, batch(label, weight), mean_over=mean_over).item() == pytest.approx(
        expected.item()
    )
    expected += 0.2 * pixel_cross_entropy(head, label, weight, mean_over)
    found = cross_entropy(seen, batch(label, weight), heads=0.2, mean_over=mean_over)
    assert found.item() == pytest.approx(expected.item())
