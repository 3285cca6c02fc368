"""What this installation can do, as JSON with JSON Schema: the window builds its forms from it."""

import inspect
from typing import Any

import segmentation_models_pytorch as smp
import timm

from core import registry
from core.doctor import available, describe_device
from core.job import Job
from core.networks.decoders import DECODERS
from core.networks.licences import LICENCES
from core.presets import presets, recipes
from core.runs.run import version_of
from core.sweeps import sweeps

UNTRIED = {"smoke_gflops", "fault", "free_gib"}
"""What only `isthmus doctor` finds out, and what changes from one moment to the next."""


def description() -> dict[str, Any]:
    """`job`: JSON Schema; `methods`: name -> texts, card, healthy losses, options (JSON Schema) and defaults;
    `presets`, `recipes` and `sweeps` by name; `licences`: part of an encoder's name -> its weights' licence;
    names of the rest."""
    devices = [describe_device(device) for device in available()]
    return {
        "isthmus": version_of("isthmus"),
        "job": Job.model_json_schema(),
        "methods": {name: _method(name) for name in registry.names()},
        "presets": {preset.name: preset.content() for preset in presets()},
        "recipes": {recipe.name: recipe.content() for recipe in recipes()},
        "sweeps": {name: sweep.model_dump(mode="json") for name, sweep in sweeps().items()},
        "decoders": list(DECODERS),
        "encoders": encoders(),
        "licences": dict(LICENCES),
        "devices": [device.name for device in devices],
        "device_details": {device.name: device.model_dump(exclude=UNTRIED) for device in devices},
    }


def _method(name: str) -> dict[str, Any]:
    module = registry.load(name)
    text = inspect.getdoc(module) or name
    return {
        "summary": text.splitlines()[0],
        "description": text,
        "card": module.CARD._asdict(),
        "healthy": {loss: band._asdict() for loss, band in registry.healthy(module).items()},
        "options": module.Options.model_json_schema(),
        "defaults": module.Options().model_dump(mode="json"),
    }


def encoders() -> list[str]:
    """smp's own encoders, then timm's under the `tu-` prefix."""
    # smp keeps `timm-` names for old checkpoints; the same networks are under `tu-`.
    native = [name for name in smp.encoders.get_encoder_names() if not name.startswith("timm-")]
    return native + [f"tu-{name}" for name in timm.list_models()]
