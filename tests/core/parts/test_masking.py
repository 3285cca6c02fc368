"""T-MASK: what is hidden from the student."""

import numpy as np
import pytest
import torch

from core.networks.outputs import Batch
from core.parts.masking import mask_patches


@pytest.fixture
def batch() -> Batch:
    torch.manual_seed(0)
    label = torch.randint(0, 3, (8, 64, 48))
    everywhere = torch.ones_like(label, dtype=torch.bool)
    return Batch(torch.rand(8, 4, 64, 48) + 1, label, torch.rand(8, 64, 48), everywhere)


def test_whole_patches_are_hidden_in_all_bands_and_nothing_else_changes(batch: Batch) -> None:
    found = mask_patches(batch, 0.7, 1 / 16, np.random.default_rng(0))
    hidden = (found.image == 0).view(8, 4, 16, 4, 16, 3)
    patch = hidden[:, :1, :, :1, :, :1]
    assert torch.equal(hidden, patch.expand_as(hidden))
    seen = ~hidden.view_as(batch.image)
    assert torch.equal(found.image[seen], batch.image[seen])
    assert found[1:] == batch[1:]
    assert len({crop.numpy().tobytes() for crop in patch}) == 8, "every crop has a mask of its own"
    share, sigma = patch.float().mean().item(), (0.7 * 0.3 / patch.numel()) ** 0.5
    assert share == pytest.approx(0.7, abs=3 * sigma)


@pytest.mark.parametrize(("ratio", "left"), [(0.0, 1.0), (1.0, 0.0)])
def test_all_or_nothing(batch: Batch, ratio: float, left: float) -> None:
    found = mask_patches(batch, ratio, 1 / 16, np.random.default_rng(0))
    assert torch.equal(found.image, batch.image * left)
