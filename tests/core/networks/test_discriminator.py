import pytest
import torch
from torch import nn

from core.networks.discriminator import Discriminator, cells_valid


@pytest.mark.parametrize(("height", "width"), [(512, 1024), (720, 1280), (64, 64), (70, 101), (32, 32)])
def test_one_cell_for_32_pixels(height: int, width: int) -> None:
    with torch.device("meta"):
        scores = Discriminator(3, width=8)(torch.empty(2, 3, height, width))
    assert scores.shape == (2, 1, height // 32, width // 32)


def test_published_size() -> None:
    with torch.device("meta"):
        assert sum(p.numel() for p in Discriminator(19).parameters()) == 2_781_121


def test_only_convolutions_and_leaky_relus() -> None:
    layers = [m for m in Discriminator(3, width=4).modules() if not list(m.children())]
    assert [type(layer) for layer in layers] == [nn.Conv2d, nn.LeakyReLU] * 4 + [nn.Conv2d]
    assert {layer.negative_slope for layer in layers if isinstance(layer, nn.LeakyReLU)} == {0.2}


def test_maps_below_32_px_are_refused() -> None:
    with pytest.raises(ValueError, match="31 x 64"):
        Discriminator(3, width=4)(torch.zeros(1, 3, 31, 64))


def test_scores_are_raw_logits() -> None:
    network = Discriminator(3, width=4)
    for parameter in network.parameters():
        nn.init.zeros_(parameter)
    *_, last = (module for module in network.modules() if isinstance(module, nn.Conv2d))
    for score in (0.0, -3.0, 7.0):
        nn.init.constant_(last.bias, score)  # type: ignore[arg-type]  # it has one
        assert (network(torch.rand(1, 3, 64, 64)) == score).all()


def test_cell_counts_from_half_its_pixels_on() -> None:
    valid = torch.ones(1, 64, 96, dtype=torch.bool)
    valid[0, :16, :32] = False
    valid[0, :16, 32:64] = False
    valid[0, 16, 32] = False
    valid[0, 32:, 64:] = False
    counted = cells_valid(valid, torch.empty(1, 1, 2, 3))
    assert counted.dtype == torch.bool
    assert counted.tolist() == [[[[True, False, True], [True, True, False]]]]


def test_cells_follow_the_scores_of_any_size() -> None:
    scores = Discriminator(3, width=4)(torch.zeros(2, 3, 70, 101))
    assert cells_valid(torch.ones(2, 70, 101, dtype=torch.bool), scores).shape == scores.shape
