"""Channel statistics: what is aligned, over which cells, who sees it, and where gradients go (DCAN)."""

from typing import Any

import pytest
import torch
from torch import Tensor

from core.job import MultiResolution, Network
from core.networks.segmentor import Segmentor, build_segmentor
from core.parts.channel_statistics import align, aligned_features, channel_statistics

SIDE, CELLS = 64, 16
EVERYWHERE = torch.ones(2, SIDE, SIDE, dtype=torch.bool)


def maps(seed: int, scale: float = 1.0, shift: float = 0.0) -> Tensor:
    drawn = torch.randn(2, 5, CELLS, CELLS, generator=torch.Generator().manual_seed(seed))
    return drawn * scale + shift


def half() -> Tensor:
    """Valid in the left half alone."""
    valid = EVERYWHERE.clone()
    valid[..., SIDE // 2 :] = False
    return valid


def test_an_aligned_map_has_the_mean_and_deviation_of_the_other_and_its_own_layout() -> None:
    content, style = maps(0), maps(1, scale=3, shift=7)
    aligned = align(content, EVERYWHERE, channel_statistics(style, EVERYWHERE))
    torch.testing.assert_close(aligned.mean((2, 3)), style.mean((2, 3)), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(
        aligned.std((2, 3), correction=0), style.std((2, 3), correction=0), atol=1e-4, rtol=1e-4
    )
    for b in range(2):
        for channel in range(5):
            order = content[b, channel].flatten().argsort()
            assert (aligned[b, channel].flatten()[order].diff() >= 0).all()


def test_a_map_aligned_with_itself_stays_and_half_the_strength_goes_half_the_way() -> None:
    content, style = maps(0), channel_statistics(maps(1, 2, 3), EVERYWHERE)
    own = channel_statistics(content, EVERYWHERE)
    torch.testing.assert_close(align(content, EVERYWHERE, own), content, atol=1e-5, rtol=1e-4)
    whole = align(content, EVERYWHERE, style)
    torch.testing.assert_close(align(content, EVERYWHERE, style, 0.5), (content + whole) / 2)
    assert torch.equal(align(content, EVERYWHERE, style, 0.0), content)


def test_cells_under_nodata_count_in_no_statistic_and_move_no_other_cell() -> None:
    def found(fill: float) -> tuple[Tensor, Tensor, Tensor]:
        content, style = maps(0), maps(1, 2, 3)
        for each in (content, style):
            each[..., CELLS // 2 :] = fill
        seen = channel_statistics(style, half())
        return seen.mean, seen.std, align(content, half(), seen)[..., : CELLS // 2]

    for empty, full in zip(found(0.0), found(99.0), strict=True):
        assert torch.equal(empty, full)


def test_a_crop_with_hardly_a_valid_cell_is_left_as_it_is_and_gives_its_style_to_none() -> None:
    valid = EVERYWHERE.clone()
    valid[0] = False
    content, style = maps(0), maps(1, 2, 3)
    aligned = align(content, valid, channel_statistics(style, EVERYWHERE))
    assert torch.equal(aligned[0], content[0])
    assert not torch.allclose(aligned[1], content[1])
    assert torch.equal(align(content, EVERYWHERE, channel_statistics(style, valid))[0], content[0])


def test_a_dead_channel_takes_the_mean_and_gives_finite_gradients() -> None:
    content = maps(0)
    content[:, 2] = 0
    content.requires_grad_()
    aligned = align(content, EVERYWHERE, channel_statistics(maps(1, 2, 3), EVERYWHERE))
    torch.testing.assert_close(
        aligned[:, 2], maps(1, 2, 3)[:, 2].mean((1, 2), keepdim=True).expand(2, CELLS, CELLS)
    )
    aligned.square().sum().backward()
    assert content.grad is not None
    assert content.grad.isfinite().all()


def test_gradients_pass_through_the_statistics_of_the_map_itself() -> None:
    """So adding a constant to a channel, or scaling it, is worth nothing: both are taken away again."""
    content = maps(0).requires_grad_()
    (align(content, EVERYWHERE, channel_statistics(maps(1), EVERYWHERE)) * maps(2)).sum().backward()
    assert content.grad is not None
    assert content.grad.abs().max() > 1e-3
    assert content.grad.sum((2, 3)).abs().max() < 1e-4
    assert (content.grad * content).sum((2, 3)).abs().max() < 1e-2


def segmentor(decoder: str, encoder: str = "resnet18", views: MultiResolution | None = None) -> Segmentor:
    network = Network(decoder=decoder, encoder=encoder, weights=None, multi_resolution=views)
    return build_segmentor(network, ["red", "green", "blue"], classes=3)[0].eval()


@pytest.mark.parametrize(
    ("decoder", "encoder"),
    [("unet", "resnet18"), ("deeplabv2", "resnet18"), ("dpt", "tu-vit_tiny_patch16_224")],
)
def test_inside_the_context_the_decoder_sees_aligned_features_and_outside_nothing_is_left(
    decoder: str, encoder: str
) -> None:
    network = segmentor(decoder, encoder)
    image = torch.randn(2, 3, 128, 128, generator=torch.Generator().manual_seed(3))
    valid = torch.ones(2, 128, 128, dtype=torch.bool)
    before = network(image)
    assert before.features is not None
    style = channel_statistics(before.features.flip(0) * 2 + 1, valid)
    with aligned_features(network, style):
        inside = network(image)
    assert inside.features is not None
    torch.testing.assert_close(inside.features, align(before.features, valid, style))
    assert not torch.allclose(inside.logits, before.logits, atol=1e-4), "the decoder decodes them"
    for seen, stage in zip(inside.stages[:-1], before.stages[:-1], strict=True):
        assert torch.equal(seen, stage)
    with pytest.raises(RuntimeError), aligned_features(network, style):
        raise RuntimeError
    assert torch.equal(network(image).logits, before.logits)


def test_what_is_nodata_is_that_of_the_view_that_the_encoder_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Tensor] = []

    def align(maps: Tensor, valid: Tensor, *_: Any) -> Tensor:
        seen.append(valid)
        return maps

    monkeypatch.setattr("core.parts.channel_statistics.align", align)
    network = segmentor("unet", views=MultiResolution(attention_width=8)).train()
    image = torch.randn(2, 3, 128, 128, generator=torch.Generator().manual_seed(3))
    image[..., :96] = 0
    style = channel_statistics(maps(0), EVERYWHERE)
    with aligned_features(network, style):
        detail = network(image).detail
    assert detail
    top, left, h, w = detail.box
    whole, near = seen
    assert torch.equal(near, (image != 0).any(1)[:, top : top + h, left : left + w])
    assert not whole[..., :46].any()
    assert whole[..., 50:].all(), "the whole at half of the resolution"


def test_the_loss_reaches_the_encoder_through_aligned_features_and_not_the_target() -> None:
    network = segmentor("unet").train()
    image, target = torch.randn(2, 2, 3, 64, 64, generator=torch.Generator().manual_seed(3))
    target.requires_grad_()
    with torch.no_grad():
        style = channel_statistics(network.features(target), EVERYWHERE)
    with aligned_features(network, style):
        network(image).logits.square().sum().backward()
    assert target.grad is None
    assert all(
        p.grad is not None and p.grad.abs().max() > 0 for p in network.encoder_parameters() if p.ndim > 1
    )


def test_over_the_batch_all_crops_move_alike_and_keep_what_sets_them_apart() -> None:
    content, style = maps(0), maps(1, scale=3, shift=7)
    content[0] += 2
    wanted = channel_statistics(style, EVERYWHERE, "batch")
    aligned = align(content, EVERYWHERE, wanted, over="batch")
    torch.testing.assert_close(aligned.mean((0, 2, 3)), style.mean((0, 2, 3)), atol=1e-4, rtol=1e-4)
    whole = (content.std((0, 2, 3), correction=0), aligned.std((0, 2, 3), correction=0))
    gain = whole[1] / whole[0]
    apart = content[0] - content[1]
    torch.testing.assert_close(aligned[0] - aligned[1], apart * gain.view(-1, 1, 1), atol=1e-3, rtol=1e-3)
    one = channel_statistics(style[:1], EVERYWHERE[:1], "batch")
    for a, b in zip(one, channel_statistics(style[:1], EVERYWHERE[:1]), strict=True):
        torch.testing.assert_close(a, b)


def test_over_the_batch_crops_count_by_their_valid_cells() -> None:
    valid = EVERYWHERE.clone()
    valid[0] = False
    style = maps(1, 2, 3)
    pooled, alone = channel_statistics(style, valid, "batch"), channel_statistics(style[1:], EVERYWHERE[1:])
    torch.testing.assert_close(pooled.mean, alone.mean)
    torch.testing.assert_close(pooled.std, alone.std)
