"""FCAN's appearance network: source crops drawn anew in the target's style, once, by optimising the images.

No generator is trained. Each crop is changed until an encoder sees in it what it saw in the source crop, and
the mean Gram matrices of target crops.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from core.bench import SOURCE, TARGET, Bench
from core.draws import rng
from core.errors import BadInput
from core.events import Progressed
from core.imagery import orientations
from core.networks.outputs import Batch
from core.parts.frozen_encoder import FrozenEncoder
from core.parts.gram import Describe, gram_distance, mean_grams
from core.parts.style_translator import content_loss
from geo_io.legend import IGNORE
from geo_io.whole_file import whole

PASSES = 3
"""What an iteration costs, in forward passes."""
WHAT = "crops rendered"


Start = Literal["source", "noise"]
"""What rendering begins with."""


class How(NamedTuple):
    """How crops are rendered: in how many steps of Adam, at which weight of the style over the content and
    which rate, of how many target crops the style is the mean, and from what."""

    iterations: int
    style_weight: float
    lr: float
    style_crops: int
    start: Start


class Rendered:
    """Source crops in the target's look, a file each in the bench's folder, labels included.

    A batch of crops is a function of the job and its numbers alone, and a file is there whole or not at
    all: a rendering that was cut short goes on with what is missing. Without a folder there are none.
    """

    def __init__(self, bench: Bench, crops: int) -> None:
        self.bench, self.folder = bench, bench.folder and bench.folder / "rendered"
        self.asked, self.crops = crops, crops if self.folder else 0

    def render(self, how: How) -> Iterator[Progressed]:
        """Draw what is missing, a batch at a time, with the encoder as it is now."""
        if not self.folder:
            self._leave_out(how.iterations)
        size, fabric = self.bench.job.sampling.batch, self.bench.fabric
        batches = [range(first, min(first + size, self.crops)) for first in range(0, self.crops, size)]
        if any(self._missing(batch) for batch in batches):
            encoder = FrozenEncoder(self.bench)
            style = mean_grams(encoder, self._target(how.style_crops))
        for n, batch in enumerate(batches):
            # Several devices share the work.
            if n % fabric.world_size == fabric.global_rank and self._missing(batch):
                source = self._source(batch)
                begun = source.image if how.start == "source" else self._noise(batch, source.image)
                image = restyle(self.bench, encoder, source, begun, style, how)
                self._write(batch, source._replace(image=image))
            yield Progressed(what=WHAT, done=batch[-1] + 1, total=self.crops)
        fabric.barrier()

    def swap_in(self, source: Batch, share: float) -> Batch:
        """The source batch, a `share` of its crops replaced at random by rendered ones, turned likewise."""
        generator, turned = self.bench.rng("rendered"), self.bench.job.sampling.orientations
        drawn = generator.random(len(source.image)) < share
        if not self.crops or not drawn.any():
            return source
        crops = [
            self._read(int(generator.integers(self.crops)), orientations.draw(turned, generator))
            if new
            else Batch(*(field[i] for field in source))
            for i, new in enumerate(drawn)
        ]
        return Batch(*(torch.stack(field) for field in zip(*crops, strict=True)))

    def _leave_out(self, iterations: int) -> None:
        """Count what is not drawn while a run is only estimated, in tiles of the map."""
        job = self.bench.job
        share = (job.sampling.crop_px / job.predict.tile_px) ** 2
        self.bench.left_out_tiles += round(self.asked * iterations * PASSES * share)

    def _path(self, number: int) -> Path:
        assert self.folder
        return self.folder / f"{number:06d}.safetensors"

    def _missing(self, batch: range) -> bool:
        return not all(self._path(number).exists() for number in batch)

    def _source(self, batch: range) -> Batch:
        domain, seed = self.bench.domains[SOURCE], self.bench.job.seed
        return self.bench.batch(SOURCE, [domain.draw(rng(seed, WHAT, SOURCE, n)) for n in batch])

    def _noise(self, batch: range, like: Tensor) -> Tensor:
        """White noise, (b, c, h, w), of mean 0 and deviation 1, as standardised; by a crop's number alone."""
        seed, shape = self.bench.job.seed, like.shape[1:]
        drawn = [rng(seed, WHAT, "noise", n).standard_normal(shape, np.float32) for n in batch]
        return torch.from_numpy(np.stack(drawn)).to(like.device)

    def _target(self, crops: int) -> Iterator[Batch]:
        domain, seed, size = self.bench.domains[TARGET], self.bench.job.seed, self.bench.job.sampling.batch
        for n, first in enumerate(range(0, crops, size)):
            few = range(min(size, crops - first))
            yield self.bench.batch(TARGET, [domain.draw(rng(seed, WHAT, TARGET, n, i)) for i in few])

    def _write(self, numbers: Sequence[int], batch: Batch) -> None:
        for n, image, label, valid in zip(numbers, batch.image, batch.label, batch.valid, strict=True):
            tensors = {"image": image, "label": label.to(torch.uint8), "valid": valid}
            with whole(self._path(n)) as partial:
                save_file({name: tensor.cpu().contiguous() for name, tensor in tensors.items()}, partial)

    def _read(self, number: int, orientation: int) -> Batch:
        """A batch of one, without its first dimension."""
        try:
            tensors = load_file(self._path(number))
        except (OSError, SafetensorError) as fault:
            raise BadInput(
                self._path(number), f"holds no rendered crop ({fault})", "delete the run and start it again"
            ) from None
        image, label, valid = (
            orientations.turn(tensors[name], orientation).to(self.bench.device)
            for name in ("image", "label", "valid")
        )
        return Batch(image, label.long(), (label != IGNORE).float(), valid)


def restyle(
    bench: Bench,
    describe: Describe,
    source: Batch,
    begun: Tensor,
    style: Sequence[Tensor],
    how: How,
) -> Tensor:
    """Images begun, (b, c, h, w), drawn towards a style and what `describe` sees in the source's, in the
    target's range."""
    with torch.no_grad():
        content = describe(source.image)
    image = bench.within(TARGET, begun, source.valid).requires_grad_()
    optimizer = torch.optim.Adam([image], lr=how.lr)
    for _ in range(how.iterations):
        optimizer.zero_grad()
        found = describe(image)
        kept = torch.stack(
            [content_loss(a, b, source.valid) for a, b in zip(found, content, strict=True)]
        ).mean()
        bench.backward(kept + how.style_weight * gram_distance(found, source.valid, style))
        optimizer.step()
        with torch.no_grad():
            image.copy_(bench.within(TARGET, image, source.valid))
    return image.detach()
