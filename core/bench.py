"""The bench a method works at: its data, its network, its devices, its schedule, its memory.

Everything that is a chore of training and not an idea of a method is here, behind few verbs.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from lightning_fabric import Fabric
from lightning_fabric.utilities import move_data_to_device
from torch import Tensor, nn

from core.ahead import ahead
from core.checkpoint import Checkpoint
from core.devices import Module, placed, reading_threads
from core.draws import rng, seed_for
from core.imagery.augment import jitter_bands
from core.imagery.data import Domain, Sample, Stack, stacked
from core.imagery.radiometry import Standardise
from core.job import Job
from core.networks.outputs import Batch
from core.networks.segmentor import Segmentor, build_segmentor
from core.phases import Phase, rate
from geo_io.legend import IGNORE

Losses = dict[str, Tensor]
SOURCE, TARGET = "source", "target"


class Keepable(Protocol):
    """Anything with a state: networks, optimisers, parts."""

    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: dict[str, Any], /) -> Any: ...


@dataclass
class Bench:
    """What a method gets. `resume` is the checkpoint to go on from, if any.

    `result` is the network that makes the map where it is not the segmentor: a method that trains
    another one names it as soon as there is one, so that it can be looked at while it learns. `folder`
    is where what phases make beside weights may lie; without one the run is only estimated, and
    `left_out_tiles` counts what it would predict beside its maps. `notes`: what a method decided, in
    words, for the journal.
    """

    job: Job
    fabric: Fabric
    segmentor: Segmentor
    domains: dict[str, Domain]
    phases: list[Phase]
    weights_report: str = ""
    resume: Checkpoint | None = None
    phase: Phase = field(default_factory=lambda: Phase("", 0))
    step_now: int = 0
    result: nn.Module | None = None
    folder: Path | None = None
    left_out_tiles: int = 0
    kept: dict[str, Keepable] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.device = self.fabric.device
        self.place(self.segmentor)
        self._standardise = {
            name: Standardise(domain.stats).to(self.device) for name, domain in self.domains.items()
        }

    @property
    def classes(self) -> int:
        return len(self.job.legend.classes)

    # Randomness: every draw from seed, phase, step and purpose.

    def rng(self, purpose: str) -> np.random.Generator:
        """A generator for one purpose at this step, different on every device."""
        return rng(self.job.seed, purpose, self.phase.name, self.step_now, self.fabric.global_rank)

    @contextmanager
    def seeded(self, purpose: str) -> Iterator[None]:
        """Torch's global generator, seeded for one purpose (initial weights), as it was afterwards."""
        with torch.random.fork_rng():
            torch.manual_seed(seed_for(self.job.seed, purpose))
            yield

    # Networks and optimisers.

    @property
    def mapper(self) -> nn.Module:
        """The network that would make the map if training ended now."""
        return self.result or self.segmentor

    def place(self, network: Module) -> Module:
        """The network where this bench's are."""
        return placed(network, self.device)

    def fresh(self) -> Segmentor:
        """Another segmentor of the job, with the initial weights (pretrained ones too) and no history."""
        built, _ = build_segmentor(self.job.network, self.segmentor.bands, self.classes, seed=self.job.seed)
        built.precision = self.segmentor.precision
        return self.place(built)

    def restart(self) -> Segmentor:
        """A fresh segmentor in the place of the one at the bench, whose history ends here."""
        self.segmentor, self.result = self.fresh(), None
        return self.segmentor

    def autocast(self) -> torch.autocast:
        """The job's precision, for networks beside the segmentor, which has it built in."""
        precision = self.segmentor.precision
        return torch.autocast(self.device.type, precision, enabled=precision is not None)

    def optimizer(self, network: Segmentor) -> torch.optim.Optimizer:
        """The job's optimiser over a segmentor: encoder at lr, decoder and head at lr x head_lr_factor."""
        s = self.job.schedule
        groups = []
        for parameters, lr in (
            (network.encoder_parameters(), s.lr),
            (network.head_parameters(), s.lr * s.head_lr_factor),
        ):
            # Norms and biases are not decayed, as usual.
            groups += [
                {"params": [p for p in parameters if p.ndim > 1], "lr": lr, "weight_decay": s.weight_decay},
                {"params": [p for p in parameters if p.ndim <= 1], "lr": lr, "weight_decay": 0.0},
            ]
        groups = [group for group in groups if group["params"]]
        if s.optimizer == "adamw":
            return self.scheduled(torch.optim.AdamW(groups))
        return self.scheduled(torch.optim.SGD(groups, momentum=0.9, nesterov=s.optimizer == "nesterov"))

    def scheduled(self, optimizer: torch.optim.Optimizer) -> torch.optim.Optimizer:
        """The optimiser, its rates taken as peaks that the job's schedule scales at every step."""
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        return optimizer

    def backward(self, loss: Tensor) -> Tensor:
        """Back-propagate at once, so that only one graph is alive; returns the value."""
        if loss.requires_grad:
            self.fabric.backward(loss)
        return loss.detach()

    def step(self, optimizer: torch.optim.Optimizer, factor: float | None = None) -> None:
        """Average gradients over devices, set the rate of this step, step, and clear the gradients.

        `factor` scales the peak rate; by default it is the job's schedule's.
        """
        if factor is None:
            s, phase = self.job.schedule, self.phase
            horizon = s.horizon or phase.horizon or phase.steps
            factor = rate(phase.start + self.step_now, horizon, s.warmup, s.poly_power)
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"] * factor
            if self.fabric.world_size > 1:
                for p in group["params"]:
                    if p.grad is not None:
                        p.grad = self.fabric.all_reduce(p.grad, reduce_op="mean")
        optimizer.step()
        optimizer.zero_grad()

    # What survives a stop.

    def keep(self, phase: str, /, **things: Keepable) -> None:
        """Checkpoint these from now on; when resuming within that phase, load them."""
        self.kept = things
        if self.resume and self.resume.phase == phase:
            for name, thing in things.items():
                thing.load_state_dict(self.resume.kept[name])

    def state(self, stage: str) -> Checkpoint:
        """What to resume from when the step at hand is done. Device 0's running statistics stand for all."""
        kept = {name: thing.state_dict() for name, thing in self.kept.items()}
        return Checkpoint(stage, self.phase.name, self.step_now + 1, torch.get_num_threads(), kept)

    # Data.

    def steps(
        self, name: str, domains: Sequence[str] = (SOURCE, TARGET), jittered: bool = True
    ) -> Iterator[tuple[Batch, ...]]:
        """One batch of each domain for every step of a phase that is still to do: none of one left out.

        The source is jittered for every method alike, unless the method does so itself (`jitter`).
        """
        if name not in self._order:
            return
        self.phase = next(phase for phase in self.phases if phase.name == name)
        first = self._first_step(name)
        if first:  # what comes after a phase that is done already finds the bench at its last step
            self.step_now = first - 1
        size, rank = self.job.sampling.batch, self.fabric.global_rank
        ours = range(rank * size, (rank + 1) * size)
        coming = ahead(
            lambda step: [self._stacked([self._sample(d, name, step, i) for i in ours]) for d in domains],
            range(first, self.phase.steps),
            self.job.sampling.loader_threads or reading_threads(self.device),
        )
        try:
            for step, drawn in enumerate(coming, first):
                self.step_now = step
                torch.manual_seed(seed_for(self.job.seed, "torch", name, step, rank))
                self.segmentor.train()
                batches = (self._placed(d, stack) for d, stack in zip(domains, drawn, strict=True))
                pairs = zip(domains, batches, strict=True)
                yield tuple(self.jitter(b) if jittered and d == SOURCE else b for d, b in pairs)
        finally:
            coming.close()

    def begins(self, name: str) -> bool:
        """Whether a phase has steps and none is done yet: what comes before the first is then due."""
        return name in self._order and self._first_step(name) == 0

    def past(self, name: str) -> bool:
        """Whether nothing is left to do for a phase: it has no steps, or a resumed run is in a later one."""
        order = self._order
        if name not in order:
            return True
        return self.resume is not None and order.index(self.resume.phase) > order.index(name)

    @property
    def _order(self) -> list[str]:
        """The names of the phases that have steps."""
        return [phase.name for phase in self.phases]

    def _first_step(self, name: str) -> int:
        """0, or where the checkpoint of this phase left off, or the end of a phase that lies before it."""
        if self.resume is None:
            return 0
        at, here = (self._order.index(each) for each in (self.resume.phase, name))
        if here == at:
            return self.resume.step
        return self.phases[here].steps if here < at else 0

    def _sample(self, domain: str, phase: str, step: int, i: int) -> Sample:
        return self.domains[domain].draw(rng(self.job.seed, domain, phase, step, i))

    def admit(self, name: str, domain: Domain) -> None:
        """Draw from another domain too, from now on: the target with labels that the run has made."""
        self.domains = self.domains | {name: domain}
        self._standardise[name] = Standardise(domain.stats).to(self.device)

    def jitter(self, batch: Batch) -> Batch:
        """The job's photometric jitter of this step, for source imagery."""
        strength = self.job.sampling.photometric_jitter
        return jitter_bands(batch, strength, self.rng("jitter")) if strength else batch

    def batch(self, domain: str, samples: Sequence[Sample]) -> Batch:
        """Samples as tensors on the device, standardised by their domain's statistics."""
        return self._placed(domain, self._stacked(samples))

    def _stacked(self, samples: Sequence[Sample]) -> Stack:
        return stacked(samples, pinned=self.device.type == "cuda")

    def _placed(self, domain: str, stack: Stack) -> Batch:
        values, label, valid = move_data_to_device(stack, self.device)
        image = self._standardise[domain](values, valid).contiguous(memory_format=torch.channels_last)
        return Batch(image, label.long(), (label != IGNORE).float(), valid)

    def within(self, domain: str, image: Tensor, valid: Tensor) -> Tensor:
        """Made images, (b, c, h, w), (b, h, w) -> in the range of a domain's real ones, 0 where invalid."""
        return self._standardise[domain].within(image, valid)

    def images(self, domain: str, purpose: str, count: int) -> Iterator[Tensor]:
        """`count` batches of augmented crops of a domain, (b, c, h, w): for statistics, not for steps."""
        size = self.job.sampling.batch
        draw = partial(self._sample, domain, purpose)
        for n in range(count):
            yield self.batch(domain, [draw(n, i) for i in range(size)]).image
