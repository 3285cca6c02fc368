"""Gram matrices, FCAN's style: by hand, over valid cells, and as the mean of a domain."""

import pytest
import torch
from torch import Tensor

from core.networks.outputs import Batch
from core.parts.gram import gram, gram_distance, mean_grams

EVERYWHERE = torch.ones(1, 8, 8, dtype=torch.bool)


def batch(*images: Tensor, valid: Tensor | None = None) -> Batch:
    stacked = torch.stack(images)
    seen = torch.ones(len(images), 8, 8, dtype=torch.bool) if valid is None else valid
    return Batch(stacked, torch.zeros(len(images), 8, 8, dtype=torch.long), seen.float(), seen)


def itself(image: Tensor) -> list[Tensor]:
    return [image]


def test_a_gram_matrix_by_hand_and_whatever_the_layout() -> None:
    features = torch.zeros(1, 2, 2, 2)
    features[0, 0] = torch.tensor([[1.0, 2], [3, 4]])
    features[0, 1] = torch.tensor([[1.0, 0], [0, -1]])
    expected = torch.tensor([[[30 / 4, -3 / 4], [-3 / 4, 2 / 4]]])
    torch.testing.assert_close(gram(features, EVERYWHERE), expected)
    torch.testing.assert_close(gram(features.flip(2, 3), EVERYWHERE), expected)
    torch.testing.assert_close(
        gram(features.repeat(1, 1, 2, 2), EVERYWHERE), expected, msg="no matter the size"
    )


def test_cells_under_nodata_count_in_no_gram_matrix() -> None:
    valid = EVERYWHERE.clone()
    valid[..., 4:] = False
    features = torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    spoilt = torch.where(valid.unsqueeze(1), features, 99.0)
    assert torch.equal(gram(spoilt, valid), gram(features, valid))
    torch.testing.assert_close(gram(spoilt, valid), gram(features[..., :4], EVERYWHERE))
    assert gram(features, torch.zeros_like(valid)).abs().sum() == 0


def test_the_style_of_a_domain_is_the_mean_over_its_images_in_any_batches() -> None:
    a, b, c = torch.randn(3, 2, 8, 8, generator=torch.Generator().manual_seed(0))
    (mean,) = mean_grams(itself, [batch(a, b, c)])
    expected = torch.stack([gram(each[None], EVERYWHERE)[0] for each in (a, b, c)]).mean(0)
    torch.testing.assert_close(mean, expected)
    (again,) = mean_grams(itself, [batch(a), batch(b, c)])
    torch.testing.assert_close(again, expected)


def test_an_image_without_data_has_no_say_in_the_mean() -> None:
    a, b = torch.randn(2, 2, 8, 8, generator=torch.Generator().manual_seed(0))
    valid = torch.ones(2, 8, 8, dtype=torch.bool)
    valid[1] = False
    (mean,) = mean_grams(itself, [batch(a, b, valid=valid)])
    torch.testing.assert_close(mean, gram(a[None], EVERYWHERE)[0])


def test_the_distance_is_a_share_and_falls_along_its_gradient() -> None:
    features = torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    own = [gram(features, EVERYWHERE)[0]]
    assert gram_distance([features], EVERYWHERE, own) == 0
    assert gram_distance([0 * features], EVERYWHERE, own) == pytest.approx(1.0)
    assert gram_distance([0 * features], EVERYWHERE, [9 * own[0]]) == pytest.approx(1.0)
    moving = (features * 2).requires_grad_()
    before = gram_distance([moving], EVERYWHERE, own)
    (gradient,) = torch.autograd.grad(before, moving)
    assert gram_distance([moving - 0.1 * gradient / gradient.norm()], EVERYWHERE, own) < before
