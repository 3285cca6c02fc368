"""Fetching an encoder's pretrained weights into the offline folder, after its licence was shown."""

from collections.abc import Callable
from pathlib import Path

import segmentation_models_pytorch as smp
import timm
from safetensors.torch import save_file
from torch import nn

from core.errors import BadInput
from core.networks.encoders import check_encoder
from core.networks.licences import restriction
from core.networks.weights import default_folder, from_hub, tensors
from geo_io.whole_file import whole


def licence_of(encoder: str) -> str:
    """The licence of an encoder's weights, as far as its publisher states one; else where to look.

    Raises BadInput for an encoder that neither smp nor timm knows.
    """
    check_encoder(encoder)
    if licence := restriction(encoder):
        return licence
    if not encoder.startswith("tu-"):
        settings = smp.encoders.encoders[encoder].get("pretrained_settings") or {}
        repository = settings.get("imagenet", {}).get("repo_id")
        return f"not stated; see huggingface.co/{repository}" if repository else "has no ImageNet weights"
    config = timm.get_pretrained_cfg(encoder.removeprefix("tu-"))
    if config is None:
        return "has no pretrained weights"
    return config.license or f"not stated; see huggingface.co/{config.hf_hub_id}"


def download(
    encoder: str, folder: Path | None = None, pretrained: Callable[[], nn.Module] | None = None
) -> Path:
    """The file `<folder>/<encoder>.safetensors`, fetched where it is not there yet; whole or not at all.

    `folder`: the offline folder by default. `pretrained` makes the encoder with the hub's weights. Raises
    BadInput for an unknown encoder, or where the hub cannot be reached or has nothing.
    """
    check_encoder(encoder)
    path = (folder or default_folder()) / f"{encoder}.safetensors"
    if path.exists():
        return path
    found = from_hub(pretrained or (lambda: _pretrained(encoder)), path)
    with whole(path) as partial:
        save_file({name: tensor.detach().clone().contiguous() for name, tensor in tensors(found)}, partial)
    return path


def _pretrained(encoder: str) -> nn.Module:
    found = smp.encoders.get_encoder(encoder, in_channels=3, weights="imagenet")
    if not isinstance(found, nn.Module):
        raise BadInput("encoder", f"{encoder} cannot be built", "choose another one")
    return found
