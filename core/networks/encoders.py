"""smp and timm encoders: their names, what of them is in use, and their first convolution for any bands."""

import difflib
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import NamedTuple

import segmentation_models_pytorch as smp
import timm
import torch
from torch import Tensor, nn

from core.errors import BadInput

RGB = 3
COLOURS = {"red": 0, "r": 0, "green": 1, "g": 1, "blue": 2, "b": 2}


class Survey(NamedTuple):
    """An encoder's convolutions that see the image, by name, and its parameters that reach a feature."""

    stem: dict[str, nn.Conv2d]
    used: frozenset[str]


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draws on the CPU depend on `seed` alone inside, and go on undisturbed afterwards."""
    with torch.random.fork_rng(devices=[]):
        # torch.manual_seed would reseed the GPUs too, whose state is not put back.
        torch.default_generator.manual_seed(seed)
        yield


@cache
def _timm_tags(base: str) -> frozenset[str]:
    pretrained = timm.list_models(f"{base}.*", pretrained=True, module="")
    return frozenset(name.partition(".")[2] for name in pretrained)


def check_encoder(name: str) -> None:
    """Raises BadInput, with the nearest right name, unless smp or timm (`tu-`) knows the encoder."""
    native = [known for known in smp.encoders.get_encoder_names() if not known.startswith("timm-")]
    base, _, tag = name.removeprefix("tu-").partition(".")
    if name in native:
        return
    if name.startswith("tu-") and timm.is_model(base):
        if not tag or tag in _timm_tags(base):
            return
        known = [f"tu-{base}.{tag}" for tag in sorted(_timm_tags(base))]
    else:
        known = native + [f"tu-{model}" for model in timm.list_models()]
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.3) or ["tu-pvt_v2_b2"]
    raise BadInput("network.encoder", f"{name!r} is unknown", f"did you mean {close[0]!r}?")


def survey(encoder: nn.Module, size_px: int) -> Survey:
    """What a three-band encoder does with an image of `size_px`, found by running it forth and back."""
    image = torch.zeros(1, RGB, size_px, size_px)
    names = {module: name for name, module in encoder.named_modules()}
    stem: dict[str, nn.Conv2d] = {}

    def note(module: nn.Module, given: tuple[Tensor, ...]) -> None:
        if given[0] is image and isinstance(module, nn.Conv2d) and module.groups == 1:
            stem[names[module]] = module

    hooks = [module.register_forward_pre_hook(note) for module in encoder.modules()]
    encoder.eval()
    features = encoder(image)
    encoder.train()
    for hook in hooks:
        hook.remove()
    return Survey(stem, frozenset(_reaching(encoder, features)))


def _reaching(
    encoder: nn.Module, features: Sequence[Tensor] | tuple[list[Tensor], list[Tensor]]
) -> Iterator[str]:
    """Names of the parameters that the features depend on."""
    maps = features[0] if isinstance(features[0], list) else features
    whole = torch.stack(
        [stage.sum() for stage in maps if isinstance(stage, Tensor) and stage.requires_grad]
    ).sum()
    trainable = {name: p for name, p in encoder.named_parameters() if p.requires_grad}
    gradients = torch.autograd.grad(whole, list(trainable.values()), allow_unused=True)
    return (name for name, gradient in zip(trainable, gradients, strict=True) if gradient is not None)


def mixing(bands: Sequence[str]) -> Tensor:
    """(n, 3): how much of the red, green and blue filters each band takes, rescaled by 3 / n.

    Colours take their own filter, whatever their position; every other band takes the mean of the
    three. Three bands without any colour's name are taken for red, green, blue. The rescaling keeps
    the sum, and thus the size of what the next layer is used to see.
    """
    channels = [COLOURS.get(band.strip().lower()) for band in bands]
    if len(bands) == RGB and channels == [None] * RGB:
        channels = [0, 1, 2]
    rows = torch.full((len(bands), RGB), 1 / RGB)
    for row, channel in zip(rows, channels, strict=True):
        if channel is not None:
            row.copy_(torch.eye(RGB)[channel])
    return rows * (RGB / len(bands))


def adapt_pretrained(conv: nn.Conv2d, bands: Sequence[str]) -> None:
    """A pretrained three-band convolution becomes one over `bands`."""
    _replace(conv, torch.einsum("ocij,nc->onij", conv.weight.detach(), mixing(bands)))


def adapt_random(conv: nn.Conv2d, bands: Sequence[str]) -> None:
    """Filters drawn anew from torch's generator, of the variance that keeps the output's.

    Band by band in the order of their names, so that the order of the bands changes nothing.
    Mixing would start bands without a colour's name on equal filters.
    """
    old = conv.weight.detach()
    scale = float(old.std()) * math.sqrt(RGB / len(bands))
    fresh = torch.empty(old.shape[0], len(bands), *old.shape[2:])
    for position in sorted(range(len(bands)), key=lambda i: bands[i]):
        fresh[:, position] = torch.randn(old[:, 0].shape) * scale
    _replace(conv, fresh)


def _replace(conv: nn.Conv2d, weight: Tensor) -> None:
    conv.in_channels = weight.shape[1]
    conv.weight = nn.Parameter(weight.contiguous())
