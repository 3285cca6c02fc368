"""The state of a training at one step, safe against a kill at any moment."""

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from core.errors import BadInput
from geo_io.whole_file import whole

KEPT = 2


@dataclass(frozen=True)
class Checkpoint:
    """`kept`: the state of everything a method keeps, by name, after `step` steps of `phase`."""

    stage: str
    phase: str
    step: int
    threads: int
    kept: dict[str, Any]


def at(folder: Path, number: int) -> Path:
    return folder / f"{number:08d}.pt"


def save(folder: Path, checkpoint: Checkpoint, number: int) -> None:
    """Write as number `number`; only the newest two stay."""
    with whole(at(folder, number)) as partial:
        torch.save(vars(checkpoint), partial)
    for old in sorted(folder.glob("*.pt"))[:-KEPT]:
        old.unlink()


def load(path: Path) -> Checkpoint | None:
    """The checkpoint in a file; None where there is none that can be read."""
    try:
        return Checkpoint(**torch.load(path, map_location="cpu", weights_only=True))
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, TypeError, ValueError, KeyError):
        return None


def newest(folder: Path) -> tuple[Checkpoint | None, int, list[Path]]:
    """The newest readable checkpoint, the next free number, and the damaged files that were passed over."""
    damaged: list[Path] = []
    files = sorted(folder.glob("*.pt"), reverse=True)
    number = int(files[0].stem) + 1 if files else 0
    for path in files:
        if checkpoint := load(path):
            return checkpoint, number, damaged
        damaged.append(path)
    return None, number, damaged


def weights_path(stage: Path) -> Path:
    """Where a finished stage keeps its model; the file's existence says that the stage is done."""
    return stage / "weights.safetensors"


def save_weights(network: nn.Module, path: Path) -> None:
    """All parameters and buffers as safetensors: the format that cannot run code."""
    tensors = {name: t.detach().cpu().contiguous() for name, t in network.state_dict().items()}
    with whole(path) as partial:
        save_file(tensors, partial)


def load_weights(network: nn.Module, path: Path) -> None:
    """Load what `save_weights` wrote. Raises BadInput for another network's weights or a damaged file."""
    try:
        network.load_state_dict(load_file(path))
    except FileNotFoundError:
        raise BadInput(path, "does not exist", "the run has not got so far: run it again to resume") from None
    except (SafetensorError, OSError) as fault:
        raise BadInput(path, f"holds no weights ({fault})", "only safetensors files are read") from None
    except RuntimeError:
        raise BadInput(
            path, "holds the weights of another network", "check network and bands in the job"
        ) from None
