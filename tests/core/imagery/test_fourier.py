"""T-FDA-1 and T-TRANS: the swap of low-frequency amplitudes."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from core.imagery.fourier import swap_amplitude
from core.networks.outputs import Batch


def crops(image: Tensor, valid: Tensor | None = None) -> Batch:
    valid = torch.ones(len(image), *image.shape[2:], dtype=torch.bool) if valid is None else valid
    label = torch.randint(0, 3, valid.shape)
    return Batch(image * valid.unsqueeze(1), label, torch.ones(valid.shape), valid)


def with_hole(image: Tensor) -> Batch:
    valid = torch.ones(len(image), *image.shape[2:], dtype=torch.bool)
    valid[:, :5, 3:] = False
    return crops(image, valid)


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("beta", [0.0, 0.1, 0.5])
def test_a_crop_with_its_own_amplitude_is_itself(beta: float) -> None:
    source = with_hole(torch.randn(2, 5, 32, 41))
    found = swap_amplitude(source, source, beta)
    assert torch.allclose(found.image, source.image, atol=1e-5)
    assert found.label is source.label
    assert found.weight is source.weight


@pytest.mark.parametrize(("beta", "side"), [(0.1, 32), (0.1, 33), (0.03, 40), (0.5, 32)])
def test_whole_crops_of_positive_values_are_translated_as_in_the_paper(beta: float, side: int) -> None:
    source, target = (torch.rand(2, 5, side, 36) + 0.5 for _ in range(2))
    found = swap_amplitude(crops(source), crops(target), beta).image
    assert not torch.allclose(found, source, atol=1e-2)
    assert np.allclose(found, as_published(source.numpy(), target.numpy(), beta), atol=1e-5)


def as_published(source: np.ndarray, target: np.ndarray, beta: float) -> np.ndarray:
    """The amplitudes within a centred window swapped, phases kept, over the whole complex spectrum."""
    ours, theirs = (np.fft.fftshift(np.fft.fft2(x), axes=(-2, -1)) for x in (source, target))
    h, w = source.shape[-2:]
    b = math.floor(beta * min(h, w))
    rows, columns = (np.abs(np.arange(n) - n // 2) <= b for n in (h, w))
    window = rows[:, None] & columns
    swapped = np.where(window, np.abs(theirs), np.abs(ours)) * np.exp(1j * np.angle(ours))
    return np.fft.ifft2(np.fft.ifftshift(swapped, axes=(-2, -1))).real


def test_beta_nought_swaps_the_mean_of_the_valid_pixels_and_nothing_else() -> None:
    source, target = with_hole(torch.randn(2, 3, 32, 32) - 1), crops(torch.randn(2, 3, 32, 32) + 2)
    target = target._replace(valid=source.valid.flip(1), image=target.image * source.valid.flip(1)[:, None])
    moved = swap_amplitude(source, target, 0.0).image - source.image
    for i in range(2):
        by = moved[i][:, source.valid[i]]
        assert torch.allclose(by, by[:, :1].expand_as(by), atol=1e-5), "one shift a band"
        means = [crop.image[i][:, crop.valid[i]].mean(1) for crop in (source, target)]
        assert torch.allclose(by[:, 0], means[1] - means[0], atol=1e-5)


def test_nodata_stays_nought_and_casts_no_shadow_into_the_translation() -> None:
    source = with_hole(torch.randn(1, 3, 32, 32))
    target = with_hole(torch.full((1, 3, 32, 32), 4.0))
    found = swap_amplitude(source, target, 0.1).image
    assert found[:, :, ~source.valid[0]].abs().max() == 0
    whole = swap_amplitude(source, crops(torch.full((1, 3, 32, 32), 4.0)), 0.1).image
    assert torch.allclose(found, whole, atol=1e-4), (
        "an even land has no low frequencies, whatever its outline"
    )


def test_amplitudes_are_those_of_a_target_without_nodata() -> None:
    valid = torch.ones(64, 32, 32, dtype=torch.bool)
    valid[:, 16:] = False
    source = crops(torch.randn(64, 3, 32, 32))
    found = swap_amplitude(source, crops(torch.randn(64, 3, 32, 32), valid), 0.5).image
    assert (found.var() / source.image.var()).item() == pytest.approx(1, abs=0.05)


def test_a_target_crop_without_a_valid_pixel_changes_nothing() -> None:
    source, target = crops(torch.randn(2, 3, 32, 32)), crops(torch.randn(2, 3, 32, 32))
    target.valid[0], target.image[0] = False, 0
    found = swap_amplitude(source, target, 0.1).image
    assert torch.equal(found[0], source.image[0])
    assert not torch.allclose(found[1], source.image[1], atol=1e-2)
