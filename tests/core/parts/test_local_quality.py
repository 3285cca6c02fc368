"""T-LDQ: trust in a label by the share of sure pixels around it."""

import pytest
import torch

from core.parts.local_quality import local_trust


def two_classes(confidence: torch.Tensor) -> torch.Tensor:
    return torch.stack([1 - confidence, confidence], 1)


def test_where_all_is_sure_every_pixel_weighs_one_up_to_the_corners_and_to_nodata() -> None:
    valid = torch.ones(1, 12, 12, dtype=torch.bool)
    valid[:, 4:9, 7:] = False
    found = local_trust(two_classes(torch.full((1, 12, 12), 0.7)), valid, 0.7, 7)
    assert (found.weight[valid] == 1).all(), "the threshold is included"
    assert (found.weight[~valid] == 0).all()
    assert (found.label[valid] == 1).all()
    assert (found.label[~valid] == 255).all()


@pytest.mark.parametrize("window", [1, 3, 7])
def test_weights_are_the_shares_that_counting_gives(window: int) -> None:
    generator = torch.Generator().manual_seed(window)
    confidence = 0.5 + 0.5 * torch.rand(2, 11, 13, generator=generator)
    valid = torch.rand(2, 11, 13, generator=generator) > 0.3
    found = local_trust(two_classes(confidence), valid, 0.8, window).weight
    reach = window // 2
    for i, row, col in torch.cartesian_prod(torch.arange(2), torch.arange(11), torch.arange(13)).tolist():
        near = (i, slice(max(row - reach, 0), row + reach + 1), slice(max(col - reach, 0), col + reach + 1))
        sure = (confidence[near] >= 0.8) & valid[near]
        expected = sure.sum() / valid[near].sum() if valid[i, row, col] else 0.0
        assert float(found[i, row, col]) == pytest.approx(float(expected), abs=1e-6)
