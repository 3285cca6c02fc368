"""DCAN's translator: source crops in the look of target crops, without an adversary."""

from typing import Any

import torch
from torch import Tensor

from core.bench import TARGET, Bench, Keepable
from core.networks.adain_generator import AdainGenerator, middle
from core.networks.discriminator import cells_valid
from core.networks.outputs import Batch
from core.parts.channel_statistics import ChannelStatistics, Over, align, channel_statistics
from core.parts.frozen_encoder import FrozenEncoder


class StyleTranslator:
    """A frozen encoder, channel alignment with a target crop at every scale, and a generator that learns.

    Each source crop takes its look from the target crop at its place in the batch, or, `over` the batch,
    all of them from all together. Untrained, it gives each band the mean and deviation of the target's.
    """

    def __init__(self, bench: Bench, lr: float = 1e-3, width: int = 32, over: Over = "crop") -> None:
        self.bench, self.over, self.encoder = bench, over, FrozenEncoder(bench)
        side, bands = bench.job.sampling.crop_px, len(bench.segmentor.bands)
        with torch.no_grad():
            maps = self._maps(torch.zeros(1, bands, side, side, device=bench.device))
        with bench.seeded("generator"):
            self.network = bench.place(AdainGenerator(bands, [each.shape[1] for each in maps], width))
        adam = torch.optim.Adam(self.network.parameters(), lr=lr)
        self.optimizer = bench.scheduled(adam)

    def learn(self, source: Batch, target: Batch, style_weight: float) -> dict[str, Tensor]:
        """One step towards images that keep the aligned content and have the target crop's style."""
        styles = self._styles(target)
        wanted = self._wanted(source, styles)
        made = self._made(source, wanted) * source.valid.unsqueeze(1)
        found = self._maps(made)
        content = content_loss(found[-1], wanted[-1], source.valid)
        style = style_loss(found, source.valid, styles[1:], self.over)
        self.bench.backward(content + style_weight * style)
        self.bench.step(self.optimizer)
        return {"content": content.detach(), "style": style.detach()}

    @torch.no_grad()
    def to_target(self, source: Batch, target: Batch) -> Batch:
        """The source crops in the look of the target's, in its range; labels and validity stay."""
        made = self._made(source, self._wanted(source, self._styles(target)))
        return source._replace(image=self.bench.within(TARGET, made, source.valid))

    def _maps(self, image: Tensor) -> list[Tensor]:
        return middle(self.encoder(image), image)

    @torch.no_grad()
    def _styles(self, target: Batch) -> list[ChannelStatistics]:
        """Of the image itself, and of each map."""
        maps = [target.image, *self._maps(target.image)]
        return [channel_statistics(each, target.valid, self.over) for each in maps]

    @torch.no_grad()
    def _wanted(self, source: Batch, styles: list[ChannelStatistics]) -> list[Tensor]:
        """The image and its maps, aligned."""
        maps = [source.image, *self._maps(source.image)]
        pairs = zip(maps, styles, strict=True)
        return [align(each, source.valid, style, over=self.over) for each, style in pairs]

    def _made(self, source: Batch, wanted: list[Tensor]) -> Tensor:
        image = wanted[0] * source.valid.unsqueeze(1)
        with self.bench.autocast():
            made: Tensor = self.network(image, wanted[1:])
        return made.float()

    def state_dict(self) -> dict[str, Any]:
        return {name: part.state_dict() for name, part in self._parts.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name, part in self._parts.items():
            part.load_state_dict(state[name])

    @property
    def _parts(self) -> dict[str, Keepable]:
        return {"encoder": self.encoder, "network": self.network, "optimizer": self.optimizer}


def content_loss(found: Tensor, wanted: Tensor, valid: Tensor) -> Tensor:
    """Squared distance of two maps (b, f, h', w') over valid cells, as a share of the size of `wanted`."""
    counted, wanted = cells_valid(valid, wanted), wanted.float()
    size = (wanted.square() * counted).sum().clamp(min=1e-6)
    return ((found.float() - wanted).square() * counted).sum() / size


def style_loss(
    found: list[Tensor], valid: Tensor, styles: list[ChannelStatistics], over: Over = "crop"
) -> Tensor:
    """Squared distance of means and deviations, map by map, as a share of the style's own variance; a mean
    over the maps and the images in which both are known."""
    total = torch.zeros((), device=valid.device)
    for maps, style in zip(found, styles, strict=True):
        own = channel_statistics(maps, valid, over)
        apart = (own.mean - style.mean).square() + (own.std - style.std).square()
        share = apart.sum(1) / style.std.square().sum(1)
        known = (own.known & style.known).flatten()
        total = total + share.flatten()[known].sum() / known.sum().clamp(min=1)
    return total / len(found)
