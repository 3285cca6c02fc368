"""CycleGAN: translators both ways, learnt from unpaired crops of two domains (Zhu et al. 2017)."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from pydantic import Field
from torch import Tensor, nn

from core.bench import SOURCE, TARGET, Bench, Losses
from core.networks.discriminator import cells_valid
from core.networks.generator import Generator
from core.networks.outputs import Batch
from core.networks.patchgan import PatchGan
from core.options import Options
from core.parts.image_pool import ImagePool
from core.parts.stretch import Stretch
from core.parts.translator import FILE, Made, Translator
from core.phases import late

REAL, MADE = 1.0, 0.0
DOMAINS = (SOURCE, TARGET)


class Translated(NamedTuple):
    """Crops (b, c, h, w) in the standardised units of the domain that they look like, 0 where invalid."""

    as_target: Tensor
    as_source: Tensor
    source_again: Tensor
    target_again: Tensor


class Look(NamedTuple):
    """image (b, c, h, w) in [-1, 1] of the domain that it looks like, 0 where invalid; valid (b, h, w)."""

    image: Tensor
    valid: Tensor


class TranslatorOptions(Options):
    """What every method that trains translators lets its user choose."""

    width: int = Field(32, ge=8, le=128, description="Channels of the generators' first layer (paper: 64)")
    blocks: int = Field(4, ge=1, le=12, description="Residual blocks of the generators (paper: 9)")
    residual: bool = Field(
        True,
        description="Generators change a crop, from no change on, instead of drawing it anew (paper: false)",
    )
    translator_lr: float = Field(2e-4, gt=0, description="Peak learning rate of translators (Adam)")
    cycle: float = Field(10.0, ge=0, description="Weight of the cycle loss")
    identity: float = Field(
        0.5, ge=0, description="Weight of the identity loss, times that of the cycle loss"
    )
    gan: float = Field(1.0, ge=0, description="Weight of the loss that fools the image discriminators")
    pool: int = Field(50, ge=0, le=500, description="Translated crops kept to train the discriminators with")


class CycleGan:
    """Two translators and a PatchGAN for either domain, trained with least squares.

    The weights are those of the generators' loss; `identity` is a share of `cycle`, as in the authors'
    code. The rate is steady for `steady` of the phase and then falls linearly to 0. Pixels under nodata
    count in no loss, no normalisation and no cell of a discriminator.
    """

    def __init__(self, bench: Bench, o: TranslatorOptions, steady: float = 0.5) -> None:
        self.bench, self.gan, self.cycle, self.identity, self.steady = (
            bench,
            o.gan,
            o.cycle,
            o.identity,
            steady,
        )
        bands, places = bench.segmentor.bands, bench.domains[TARGET].places
        self.made = Made(bands, o.width, o.blocks, places[0].scene.dtype.name, o.residual)
        stats = {domain: bench.domains[domain].stats for domain in DOMAINS}
        # What begins as no change is none of standardised imagery: a common range for both.
        ranges = {d: tuple(stats.values()) if o.residual else (stats[d],) for d in DOMAINS}
        with bench.seeded("cyclegan"):
            self.to = nn.ModuleDict({
                domain: Translator(
                    Generator(len(bands), o.width, o.blocks, o.residual),
                    Stretch.of(*ranges[other]),
                    Stretch.of(*ranges[domain]),
                )
                for domain, other in ((TARGET, SOURCE), (SOURCE, TARGET))
            })  # fmt: skip
            self.critics = nn.ModuleDict({domain: PatchGan(len(bands), o.width) for domain in DOMAINS})
        bench.place(self.to)
        bench.place(self.critics)
        for domain in DOMAINS:
            self._to(domain).precision = bench.segmentor.precision
        self.pools = {domain: ImagePool(o.pool, bench.device) for domain in DOMAINS}
        self.optimizer = torch.optim.Adam(self.to.parameters(), lr=o.translator_lr, betas=(0.5, 0.999))
        self.critics_optimizer = torch.optim.Adam(
            self.critics.parameters(), lr=o.translator_lr, betas=(0.5, 0.999)
        )
        bench.scheduled(self.optimizer)
        bench.scheduled(self.critics_optimizer)

    @property
    def translator(self) -> Translator:
        """Source imagery in the target's look: all that later phases keep of this."""
        return self._to(TARGET)

    def to_target(self, batch: Batch) -> Batch:
        """The source batch in the target's look; labels, weights and validity are its own."""
        return self.translator.to_target(batch)

    def learn(
        self, source: Batch, target: Batch, also: Callable[[Translated], Tensor] | None = None
    ) -> Losses:
        """A step of both translators together, then one of both discriminators on images made before it.

        `also` adds to the translators' loss what else their images should keep. Returns the unweighted
        losses, `also`'s as `consistency`, and `images`: the discriminators' (0.25 is a coin toss).
        """
        real = {SOURCE: self._look(SOURCE, source), TARGET: self._look(TARGET, target)}
        self.critics.requires_grad_(False)
        losses, made = self._translate(real, also)
        self.critics.requires_grad_(True)
        factor = late(self.bench.step_now, self.bench.phase.steps, self.steady)
        self.bench.step(self.optimizer, factor)

        images = sum((self._judge(d, real[d], made[d]) for d in DOMAINS), torch.zeros(()))
        self.bench.step(self.critics_optimizer, factor)
        return losses | {"images": images / 2}

    def _translate(
        self, real: dict[str, Look], also: Callable[[Translated], Tensor] | None
    ) -> tuple[Losses, dict[str, Look]]:
        """Back-propagate the translators' losses; also returns the images made, by the domain's look."""
        other = {SOURCE: TARGET, TARGET: SOURCE}
        same = self._both(lambda d: _l1(self._made(d, real[d]), real[d]))
        self.bench.backward(self.cycle * self.identity * same)

        made = {d: self._made(d, real[other[d]]) for d in DOMAINS}
        again = {d: self._made(d, made[other[d]]) for d in DOMAINS}
        fooling = self._both(lambda d: self._verdict(d, made[d], REAL))
        cycle = self._both(lambda d: _l1(again[d], real[d]))
        total = self.gan * fooling + self.cycle * cycle
        losses = {"fooling": fooling.detach(), "cycle": cycle.detach(), "identity": same.detach()}
        if also:
            consistency = also(
                Translated(
                    self._standardised(TARGET, made[TARGET]),
                    self._standardised(SOURCE, made[SOURCE]),
                    self._standardised(SOURCE, again[SOURCE]),
                    self._standardised(TARGET, again[TARGET]),
                )
            )
            total = total + consistency
            losses["consistency"] = consistency.detach()
        self.bench.backward(total)
        return losses, made

    def _judge(self, domain: str, real: Look, made: Look) -> Tensor:
        """Back-propagate a discriminator's loss on real images and on those of its pool."""
        travelling = torch.cat([made.image, made.valid.unsqueeze(1).to(made.image.dtype)], 1)
        swapped = self.pools[domain].swap(travelling, self.bench.rng(f"pool-{domain}"))
        old = Look(swapped[:, :-1], swapped[:, -1] > 0.5)
        caught = self._verdict(domain, real, REAL) + self._verdict(domain, old, MADE)
        return self.bench.backward(0.5 * caught)

    def _verdict(self, domain: str, look: Look, truth: float) -> Tensor:
        """Mean squared distance of a discriminator's cells from `truth`, where at least half is valid."""
        with self.bench.autocast():
            scores: Tensor = self.critics[domain](*look)
        counted = cells_valid(look.valid, scores)
        return ((scores.float() - truth).square() * counted).sum() / counted.sum().clamp(min=1)

    @staticmethod
    def _both(loss: Callable[[str], Tensor]) -> Tensor:
        return loss(SOURCE) + loss(TARGET)

    def _to(self, domain: str) -> Translator:
        translator = self.to[domain]
        assert isinstance(translator, Translator)
        return translator

    def _look(self, domain: str, batch: Batch) -> Look:
        seen = batch.valid.unsqueeze(1)
        return Look(self._to(domain).after.squeeze(batch.image) * seen, batch.valid)

    def _made(self, domain: str, look: Look) -> Look:
        return Look(self._to(domain).look(*look), look.valid)

    def _standardised(self, domain: str, look: Look) -> Tensor:
        return self._to(domain).after.widen(look.image) * look.valid.unsqueeze(1)

    def save(self) -> None:
        """Leave the translator in the bench's folder, from one of several devices."""
        if self.bench.folder and self.bench.fabric.is_global_zero:
            self.translator.save(self.bench.folder / FILE, self.made)

    def state_dict(self) -> dict[str, Any]:
        return {
            "to": self.to.state_dict(),
            "critics": self.critics.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "critics_optimizer": self.critics_optimizer.state_dict(),
            "pools": {domain: pool.state_dict() for domain, pool in self.pools.items()},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name in ("to", "critics", "optimizer", "critics_optimizer"):
            getattr(self, name).load_state_dict(state[name])
        for domain, pool in self.pools.items():
            pool.load_state_dict(state["pools"][domain])


def _l1(a: Look, b: Look) -> Tensor:
    """Mean absolute difference over the bands of the pixels valid in both."""
    seen = a.valid.unsqueeze(1)
    return ((a.image - b.image).abs() * seen).sum() / (seen.sum() * a.image.shape[1]).clamp(min=1)
