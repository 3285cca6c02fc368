"""Fourier domain adaptation: the target's low-frequency amplitude in source crops (Yang & Soatto 2020)."""

import math

import torch
from torch import Tensor

from core.networks.outputs import Batch


def swap_amplitude(source: Batch, target: Batch, beta: float) -> Batch:
    """Source crops, each with the low-frequency amplitude of the target crop of its number.

    The window reaches floor(beta x shorter side) frequencies to either side of the mean, which alone is
    swapped at 0; phases, and so all shapes, stay, and so do labels. Every crop is transformed as
    deviations from the mean of its valid pixels, 0 where there are none: nodata then is no dark shape
    among the low frequencies, and amplitudes are brought to one count of valid pixels.
    """
    ours, theirs = _mean(source), _mean(target)
    spectrum, other = _spectrum(source, ours), _spectrum(target, theirs)
    count, their_count = _count(source), _count(target)
    amplitude = other.abs() * (count / their_count.clamp(min=1)).sqrt()
    low = _low_frequencies(source.image, beta)
    swapped = torch.where(low, torch.polar(amplitude, spectrum.angle()), spectrum)
    image = torch.fft.irfft2(swapped, s=source.image.shape[-2:]) + theirs
    image = torch.where(their_count > 0, image, source.image)
    return source._replace(image=image * source.valid.unsqueeze(1))


def _count(batch: Batch) -> Tensor:
    """(b, 1, 1, 1): valid pixels of each crop."""
    return batch.valid.sum((1, 2)).view(-1, 1, 1, 1)


def _mean(batch: Batch) -> Tensor:
    """(b, c, 1, 1): each band's mean over the valid pixels of a crop."""
    return batch.image.sum((2, 3), keepdim=True) / _count(batch).clamp(min=1)


def _spectrum(batch: Batch, mean: Tensor) -> Tensor:
    """(b, c, h, w // 2 + 1) complex: the half that determines the spectrum of a real image."""
    spectrum: Tensor = torch.fft.rfft2((batch.image - mean) * batch.valid.unsqueeze(1))
    return spectrum


def _low_frequencies(image: Tensor, beta: float) -> Tensor:
    """(h, w // 2 + 1) bool: the (2b + 1) x (2b + 1) window about frequency 0, b = floor(beta x side)."""
    h, w = image.shape[-2:]
    reach = math.floor(beta * min(h, w)) + 0.5
    rows: Tensor = torch.fft.fftfreq(h, 1 / h, device=image.device).abs() < reach
    columns: Tensor = torch.fft.rfftfreq(w, 1 / w, device=image.device) < reach
    return rows.unsqueeze(1) & columns
