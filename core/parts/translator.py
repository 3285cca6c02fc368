"""A trained translator: one domain's imagery in the other's look, in memory and on disk."""

import json
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from core.errors import BadInput
from core.networks.generator import Generator
from core.networks.outputs import Batch
from core.parts.stretch import Stretch
from geo_io.whole_file import whole

FILE = "translator.safetensors"


class Made(NamedTuple):
    """What a translator was made with: all that is needed to build it again.

    `dtype` is the type of the pixels of the imagery that its results look like.
    """

    bands: tuple[str, ...]
    width: int
    blocks: int
    dtype: str
    residual: bool


class Translator(nn.Module):
    """A generator between two stretches: standardised units of one domain in, of the other out.

    `precision` is what the generator computes in; None is full precision. It has no dropout and no
    running statistics: it does the same in training and in use.
    """

    def __init__(self, network: Generator, before: Stretch, after: Stretch) -> None:
        super().__init__()
        self.network, self.before, self.after = network, before, after
        self.precision: torch.dtype | None = None

    def look(self, unit: Tensor, valid: Tensor) -> Tensor:
        """(b, c, h, w) in [-1, 1] of one domain -> of the other, 0 where invalid."""
        with torch.autocast(unit.device.type, self.precision, enabled=self.precision is not None):
            made: Tensor = self.network(unit, valid)
        return made * valid.unsqueeze(1)

    def forward(self, image: Tensor, valid: Tensor) -> Tensor:
        """(b, c, h, w) standardised, (b, h, w) -> the same in the other domain's units, 0 where invalid."""
        seen = valid.unsqueeze(1)
        return self.after.widen(self.look(self.before.squeeze(image) * seen, valid)) * seen

    @torch.no_grad()
    def to_target(self, batch: Batch) -> Batch:
        """The source batch in the target's look; labels, weights and validity are its own."""
        return batch._replace(image=self(batch.image, batch.valid))

    def save(self, path: Path, made: Made) -> None:
        tensors = {name: tensor.cpu().contiguous() for name, tensor in self.state_dict().items()}
        with whole(path) as partial:
            save_file(tensors, partial, {name: json.dumps(value) for name, value in made._asdict().items()})


def load_translator(path: Path) -> tuple[Translator, Made]:
    """What `save` wrote. Raises BadInput for a file that is damaged or something else."""
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
            given = {name: json.loads(value) for name, value in (file.metadata() or {}).items()}
        made = Made(**given | {"bands": tuple(given["bands"])})
        bands = len(made.bands)
        network = Generator(bands, made.width, made.blocks, made.residual)
        translator = Translator(network, Stretch(bands), Stretch(bands))
        translator.load_state_dict(tensors)
    except (SafetensorError, OSError, KeyError, RuntimeError, TypeError, ValueError) as fault:
        problem = f"holds no translator ({' '.join(str(fault).split())[:120]})"
        raise BadInput(path, problem, "copy the run's folder again, or repeat the run") from None
    return translator, made
