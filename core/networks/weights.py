"""Pretrained encoder weights: where they come from, and an exact account of what was loaded."""

import os
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import huggingface_hub.constants as hub
import torch
from huggingface_hub.utils import get_session  # type: ignore[attr-defined]
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from core.errors import BadInput
from core.job import Network
from core.networks.licences import restriction

LEAST_MATCHED = 0.95
_WRAPPERS = {"module", "model", "encoder", "backbone", "body", "network", "segmentor"}


@dataclass(frozen=True)
class WeightReport:
    """`loaded` of the encoder's `total` parameters and running statistics in use came from `source`.

    `notes` are warnings for the user; a restrictive `licence` is among them.
    """

    source: str
    loaded: int
    total: int
    notes: tuple[str, ...] = ()
    licence: str | None = None

    @property
    def text(self) -> str:
        return f"{self.loaded} of {self.total} tensors loaded from {self.source}"


def default_folder() -> Path:
    """Where `<encoder>.safetensors` files are looked for: ISTHMUS_WEIGHTS, else the user's data folder."""
    if chosen := os.environ.get("ISTHMUS_WEIGHTS"):
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "isthmus" / "weights"


def load_encoder(
    encoder: nn.Module,
    used: frozenset[str],
    network: Network,
    folder: Path | None,
    pretrained: Callable[[], nn.Module],
) -> tuple[WeightReport, frozenset[str]]:
    """Fill a three-band encoder as `network.weights` says; returns the report and the names filled.

    Only the parameters `used`, and the running statistics beside them, count. `pretrained` makes the
    same encoder with the hub's weights. Raises BadInput where fewer than 95 % of the tensors match, a
    file is no safetensors file, or the hub is needed and out of reach.
    """
    wanted = {name: tensor for name, tensor in tensors(encoder) if _counts(name, used)}
    licence = restriction(network.encoder)
    notes = [f"{network.encoder}: {licence}"] if licence else []
    if network.weights is None:
        source = "nothing (network.weights: null): the encoder starts from random numbers"
        return WeightReport(source, 0, len(wanted), tuple(notes), licence), frozenset()
    source, given = _fetch(network, folder or default_folder(), pretrained)
    found = _matched(wanted, given, source)
    missing = [
        f"{name} ({_why(tensor, name, given)})" for name, tensor in wanted.items() if name not in found
    ]
    if len(found) < LEAST_MATCHED * len(wanted):
        problem = (
            f"only {len(found)} of {len(wanted)} tensors of {network.encoder} are in it; not {_few(missing)}"
        )
        raise BadInput(
            source, problem, "check that the file is for this encoder, or set network.weights: null"
        )
    with torch.no_grad():
        for name, tensor in found.items():
            wanted[name].copy_(tensor)
    if missing:
        notes.append(f"left at random: {_few(missing)}")
    return WeightReport(source, len(found), len(wanted), tuple(notes), licence), frozenset(found)


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """Every tensor of a safetensors file. Raises BadInput for anything else: a pickle can run code."""
    if path.suffix != ".safetensors":
        raise BadInput(
            path, "is not a .safetensors file, the only kind that is read", "convert it to safetensors"
        )
    try:
        return load_file(path)
    except FileNotFoundError:
        raise BadInput(path, "does not exist", "check network.weights") from None
    except (SafetensorError, OSError, ValueError) as fault:
        problem = f"is no readable safetensors file ({fault})"
        raise BadInput(path, problem, "download it again; pickles (.pth, .bin) must be converted") from None


def _fetch(
    network: Network, folder: Path, pretrained: Callable[[], nn.Module]
) -> tuple[str, dict[str, Tensor]]:
    """What to call the source of the weights, and their tensors by bare name."""
    weights = network.weights or ""
    path = folder / f"{network.encoder}.safetensors" if weights == "imagenet" else Path(weights).expanduser()
    if weights == "imagenet" and not path.exists():
        return f"the hub's {network.encoder}", _bare(dict(tensors(from_hub(pretrained, path))), "the hub")
    return str(path), _bare(read_safetensors(path), path)


def from_hub(pretrained: Callable[[], nn.Module], path: Path) -> nn.Module:
    """What `pretrained` makes, without waiting for a hub out of reach. Raises BadInput where it fails."""
    before = hub.HF_HUB_OFFLINE
    try:
        # Without this the hub's client asks five times for each file before it looks into its cache.
        hub.HF_HUB_OFFLINE = before or not _reachable()
        return pretrained()
    # The hub's client, smp and timm raise unrelated exceptions, from KeyError to their own.
    except Exception as fault:
        reason = textwrap.shorten(str(fault), 120, placeholder="...")
        problem = f"no pretrained weights could be had from the hub ({reason})"
        remedy = f"put {path.name} into {path.parent}, go online, or set network.weights: null"
        raise BadInput("network.weights", problem, remedy) from fault
    finally:
        hub.HF_HUB_OFFLINE = before


def _reachable() -> bool:
    try:
        get_session().head(hub.ENDPOINT, timeout=10)
    # The client's library, and with it the exceptions, differ between versions.
    except Exception:
        return False
    return True


def tensors(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Parameters and running statistics, by name."""
    yield from module.named_parameters()
    yield from (
        (name, t) for name, t in module.named_buffers() if name.endswith(("running_mean", "running_var"))
    )


def _counts(name: str, used: frozenset[str]) -> bool:
    owner, _, kind = name.rpartition(".")
    return name in used or (kind.startswith("running_") and f"{owner}.weight" in used)


def _bare_name(name: str) -> str:
    """A tensor's name without wrappers in front. timm writes `stages.0` and `stages_0` for the same one."""
    parts = name.split(".")
    while len(parts) > 1 and parts[0] in _WRAPPERS:
        parts.pop(0)
    return ".".join(parts).replace("_", ".")


def _bare(tensors: dict[str, Tensor], source: object) -> dict[str, Tensor]:
    bare = {_bare_name(name): tensor for name, tensor in tensors.items()}
    if len(bare) < len(tensors):
        raise BadInput(
            source, "holds several networks under different prefixes", "keep only the encoder's tensors"
        )
    return bare


def _matched(wanted: dict[str, Tensor], given: dict[str, Tensor], source: str) -> dict[str, Tensor]:
    """The given tensors by the name of the wanted tensor of the same bare name and shape."""
    pairs = {name: given.get(_bare_name(name)) for name in wanted}
    found = {name: t for name, t in pairs.items() if t is not None and t.shape == wanted[name].shape}
    broken = next((name for name, tensor in found.items() if not bool(torch.isfinite(tensor).all())), None)
    if broken:
        raise BadInput(source, f"holds values that are not finite ({broken})", "download it again")
    return found


def _why(wanted: Tensor, name: str, given: dict[str, Tensor]) -> str:
    tensor = given.get(_bare_name(name))
    return "absent" if tensor is None else f"{tuple(tensor.shape)} instead of {tuple(wanted.shape)}"


def _few(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
