"""A tiny job on two drawn places, small enough to be trained some steps in a second."""

from pathlib import Path
from typing import Any

import numpy as np
import segmentation_models_pytorch as smp
import torch
import yaml
from safetensors.torch import load_file, save_file
from worlds import noise, north_up, write_raster

from core import checkpoint
from core.bench import Bench
from core.devices import launch
from core.events import AnyEvent
from core.execution.execute import execute
from core.job import Job, MultiResolution, load_job
from core.networks.segmentor import build_segmentor
from core.prepare import Prepared, prepare
from core.registry import choose, load
from core.runs.run import Run, create

SIDE = 96
BANDS = ["blue", "green", "red", "nir"]
LEGEND = {
    "classes": [{"name": name, "color": f"#{i}{i}8080"} for i, name in enumerate(("water", "field", "town"))]
}

DEEPLABV2 = {
    "decoder": "deeplabv2",
    "encoder": "tu-mobilenetv3_small_050",
    "encoder_depth": None,
    "decoder_channels": None,
}
"""What to change in a job's network for a small one with an auxiliary head."""


NARROW = {"width": 8, "blocks": 1}
"""Options of generators that train quickly, for methods that have some."""


def draw(folder: Path, under_nodata: int = 0) -> None:
    """Two 4-band uint16 places with a nodata wedge by mask band; `under_nodata` lies under the mask."""
    folder.mkdir(parents=True, exist_ok=True)
    rows, cols = np.mgrid[:SIDE, :SIDE]
    label = ((rows // 24 + cols // 32) % 3).astype(np.uint8)
    wedge = cols > SIDE - 12 + rows // 12
    for name, gain, gsd_m in (("source", 10, 1.0), ("target", 14, 1.0)):
        image = noise(4, SIDE, SIDE, "uint16", seed=gain) * gain // 4
        image += (label * np.array([3, 5, 7, 11])[:, None, None] * gain * 10).astype(np.uint16)
        image[:, wedge] = under_nodata
        write_raster(folder / f"{name}.tif", image, names=BANDS, mask=~wedge, transform=north_up(gsd_m))
        write_raster(folder / f"{name}-labels.tif", np.where(wedge, 255, label).astype(np.uint8), nodata=255)


def job_for(
    folder: Path, method: str = "combined", options: dict[str, Any] | None = None, **parts: Any
) -> Job:
    """The job on the places in `folder`; `parts` (schedule=..., sampling=...) are merged in."""
    content: dict[str, Any] = {
        "name": "tiny",
        "seed": 3,
        "source": {"name": "here", "scenes": [{"path": "source.tif", "labels": "source-labels.tif"}]},
        "target": {
            "name": "there",
            "scenes": [{"path": "target.tif", "labels": {"path": "target-labels.tif", "use": "check"}}],
        },
        "legend": LEGEND,
        "sampling": {"crop_px": 32, "batch": 2},
        "network": {
            "encoder": "resnet18",
            "encoder_depth": 3,
            "decoder_channels": [16, 8, 8],
            "weights": None,
        },
        "schedule": {
            "steps": 4,
            "lr": 1e-3,
            "checkpoint_every": 1,
            "device": "cpu",
            "precision": "32",
            "threads": 1,
        },
        "method": {"name": method, "options": options or {}},
        "predict": {"tile_px": 64, "overlap_px": 16, "batch": 2},
    }
    for part, changes in parts.items():
        content[part] = {**content[part], **changes} if isinstance(changes, dict) else changes
    (folder / "job.yaml").write_text(yaml.safe_dump(content))
    return load_job(folder / "job.yaml")


def tiny(
    folder: Path, name: str, options: dict[str, Any], *others: dict[str, Any], least: int = 2, **network: Any
) -> Job:
    """The tiny job with as few steps as give each phase of the method `least`, with other options too."""
    if NARROW.keys() <= load(name).Options.model_fields.keys():
        options = NARROW | options
    steps = steps_for(name, least, options, *others)
    if any(each.get("levels") == "multi" for each in (options, *others)):
        network = DEEPLABV2
    return job_for(folder, name, options, schedule={"steps": steps}, network=network)


def steps_for(name: str, least: int, *variants: dict[str, Any]) -> int:
    """As few as give each phase of a method `least`, whichever of these options it has."""
    module = load(name)
    chosen = [module.Options(**options) for options in variants]

    def shortest(steps: int) -> int:
        return min(phase.steps for each in chosen for phase in module.phases(each, steps) if phase.steps)

    return next(steps for steps in range(4, 200) if shortest(steps) >= least)


def at_two_resolutions(job: Job) -> Job:
    """The same with a network that sees each crop far and near."""
    network = job.network.model_copy(update={"multi_resolution": MultiResolution(attention_width=8)})
    return job.model_copy(update={"network": network})


def encoder_weights(folder: Path) -> str:
    """A file of weights for the tiny job's encoder: something to remember."""
    encoder = smp.encoders.get_encoder("resnet18", depth=3, weights=None)
    save_file(dict(encoder.state_dict()), folder / "resnet18.safetensors")
    return str(folder / "resnet18.safetensors")


def run_for(job: Job, folder: Path) -> Run:
    return create(job, folder)


def work(run: Run) -> list[AnyEvent]:
    """Execute to the end."""
    return list(execute(run))


def bench_for(job: Job, cache: Path) -> Bench:
    """A bench as a run would set it up for the job's method."""
    prepared = next(found for found in prepare(job, cache) if isinstance(found, Prepared))
    method = choose(job, job.method.name, job.method.options)
    segmentor, report = build_segmentor(job.network, prepared.bands, len(job.legend.classes), seed=job.seed)
    fabric, folder = launch(job.schedule), cache / "phase"
    return Bench(job, fabric, segmentor, prepared.domains, method.phases, report.text, folder=folder)


def weights(run: Run, stage: str) -> dict[str, torch.Tensor]:
    """A finished stage's parameters and buffers."""
    return load_file(checkpoint.weights_path(run.phase(stage)))


def copied(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    """A network's parameters and buffers as they are now."""
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def assert_equal_weights(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> None:
    """Bit for bit."""
    assert a.keys() == b.keys()
    different = [name for name in a if not torch.equal(a[name], b[name])]
    assert not different, f"{len(different)} of {len(a)} tensors differ: {different[:3]}"
