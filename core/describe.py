"""What this installation can do, as JSON with JSON Schema: the window builds its forms from it."""

import inspect
from typing import Any

import segmentation_models_pytorch as smp
import timm

from core import registry
from core.doctor import available
from core.job import Job
from core.networks.decoders import DECODERS
from core.run import version_of


def description() -> dict[str, Any]:
    """`job`: JSON Schema; `methods`: name -> summary, pages, options (JSON Schema); names of the rest."""
    return {
        "isthmus": version_of("isthmus"),
        "job": Job.model_json_schema(),
        "methods": {name: _method(name) for name in registry.names()},
        "decoders": list(DECODERS),
        "encoders": encoders(),
        "devices": [str(device) for device in available()],
    }


def _method(name: str) -> dict[str, Any]:
    module = registry.load(name)
    text = inspect.getdoc(module) or name
    return {
        "summary": text.splitlines()[0],
        "description": text,
        "options": module.Options.model_json_schema(),
    }


def encoders() -> list[str]:
    """smp's own encoders, then timm's under the `tu-` prefix."""
    # smp keeps `timm-` names for old checkpoints; the same networks are under `tu-`.
    native = [name for name in smp.encoders.get_encoder_names() if not name.startswith("timm-")]
    return native + [f"tu-{name}" for name in timm.list_models()]
