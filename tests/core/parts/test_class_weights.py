"""T-GCW: class weights that follow the source's shares."""

import math

import pytest
import torch
from torch import Tensor

from core.networks.outputs import Batch
from core.parts.class_weights import GradualClassWeights

CPU = torch.device("cpu")


def crops(label: Tensor) -> Batch:
    return Batch(torch.zeros(len(label), 2, *label.shape[1:]), label, torch.ones(label.shape), label != 255)


def test_equal_shares_weigh_one() -> None:
    label = torch.arange(12).view(1, 3, 4) % 3
    rarity = GradualClassWeights(3, CPU)
    assert torch.allclose(rarity.weigh(crops(label)).weight, torch.ones(1, 3, 4))
    assert torch.allclose(rarity.weights, torch.ones(3))


def test_weights_keep_mean_one_and_rank_classes_by_rarity() -> None:
    rarity = GradualClassWeights(4, CPU)
    generator = torch.Generator().manual_seed(0)
    for _ in range(50):
        often = torch.multinomial(
            torch.tensor([0.6, 0.3, 0.1]), 2 * 64, replacement=True, generator=generator
        )
        rarity.weigh(crops(often.view(2, 8, 8)))
    assert rarity.weights.mean().item() == pytest.approx(1, abs=1e-5)
    assert rarity.weights.tolist() == sorted(rarity.weights.tolist()), "class 3 is absent, so the rarest"


def test_no_class_counts_more_than_the_ratio_times_another_where_there_is_one() -> None:
    label = (torch.arange(100) < 10).long().view(1, 10, 10)
    unbound, bound = GradualClassWeights(2, CPU, momentum=0), GradualClassWeights(2, CPU, 0.1, 0, 10)
    for rarity in (unbound, bound):
        rarity.weigh(crops(label))
        assert rarity.weights.mean().item() == pytest.approx(1)
    assert (unbound.weights[1] / unbound.weights[0]).item() == pytest.approx(math.exp(8), rel=1e-4)
    assert (bound.weights[1] / bound.weights[0]).item() == pytest.approx(10, rel=1e-4)
    mild = (torch.arange(100) < 45).long().view(1, 10, 10)
    for rarity in (unbound, bound):
        rarity.weigh(crops(mild))
    assert torch.allclose(unbound.weights, bound.weights), "where it is not reached it changes nothing"


def test_each_crop_is_weighed_with_itself_taken_in_and_the_mean_goes_on() -> None:
    label = torch.tensor([[[0, 0, 0, 1]], [[0, 1, 1, 255]]])
    rarity = GradualClassWeights(2, CPU, temperature=0.5, momentum=0.8)
    batch = crops(label)._replace(weight=torch.tensor([[[1, 1, 1, 0.5]], [[1, 1, 1, 0]]]))
    found = rarity.weigh(batch).weight
    first = 0.8 + 0.2 * 2 * torch.softmax(torch.tensor([0.25, 0.75]) / 0.5, 0)
    second = 0.8 + 0.2 * 2 * torch.softmax(torch.tensor([2 / 3, 1 / 3]) / 0.5, 0)
    assert torch.allclose(found[0, 0], first[[0, 0, 0, 1]] * torch.tensor([1, 1, 1, 0.5]))
    assert torch.allclose(found[1, 0, :3], second[[0, 1, 1]])
    assert found[1, 0, 3] == 0
    assert torch.allclose(rarity.weights, (first + second) / 2)


def test_a_crop_without_labels_changes_nothing_and_the_state_survives() -> None:
    rarity = GradualClassWeights(3, CPU)
    rarity.weigh(crops(torch.zeros(1, 4, 4, dtype=torch.long)))
    other = GradualClassWeights(3, CPU)
    other.load_state_dict(rarity.state_dict())
    assert not torch.allclose(other.weights, torch.ones(3))
    found = other.weigh(crops(torch.full((2, 4, 4), 255)))
    assert torch.allclose(other.weights, rarity.weights)
    assert torch.isfinite(found.weight).all()
