"""The model as it leaves the house: weights, torch.export and ONNX, and the STAC item that describes it."""

import json
import logging
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.checkpoint import weights_path
from core.delivery.catalogue import MODEL_ITEM, SCHEMAS, classes, file_facts, item, processing
from core.delivery.deployed import OPSET, PLUGIN_SCALE, Deployed, plugin_metadata
from core.delivery.order import Order
from core.delivery.parts import MODEL_FOLDER
from core.errors import RunFailed
from core.execution.remap import finished_model
from core.files import write_json
from core.prepare import seen_target
from core.runs.run import version_of
from geo_io.grid import Grid
from geo_io.scene import Scene
from geo_io.whole_file import whole

PARITY = 1e-4
"""Most that a probability of the ONNX graph may differ from torch's."""


def model_files(order: Order) -> Iterator[float | Path]:
    """Weights, both graphs, and the model's item. Raises RunFailed where the ONNX graph says otherwise."""
    yield 0.0
    run, folder = order.run, order.to / MODEL_FOLDER
    stats, gsd_m = seen_target(run.folder / "cache")
    segmentor = finished_model(run, order.model, stats.names, torch.device("cpu"))
    made = [folder / "weights.safetensors", folder / "model.pt2", folder / "model.onnx"]
    with whole(made[0]) as partial:
        shutil.copyfile(weights_path(run.phase(order.model)), partial)
    yield made[0]
    yield 0.1
    with _quiet():
        plain = Deployed(segmentor, stats)
        tile_px = plain.tile_px(run.job.predict.tile_px)
        image = plain.example(len(stats.names), tile_px)
        with whole(made[1], suffix=".pt2") as partial:
            program = torch.export.export(plain, (image,), dynamic_shapes=plain.dynamic_shapes())
            torch.export.save(program, partial)
    yield made[1]
    yield 0.4
    scaled = Deployed(segmentor, stats, PLUGIN_SCALE)
    metadata = plugin_metadata(run.job, gsd_m, _map_grid(order), tile_px)
    metadata |= {"isthmus": json.dumps({"run": run.id})}
    with whole(made[2]) as partial, _quiet():
        write_onnx(scaled, image, partial, metadata)
        _check_parity(scaled, image, partial, made[2])
    yield made[2]
    yield 0.9
    content = model_item(order, made, parameters=sum(p.numel() for p in segmentor.parameters()))
    write_json(order.to / MODEL_ITEM, content)
    yield order.to / MODEL_ITEM
    yield 1.0


def write_onnx(network: Deployed, image: torch.Tensor, path: Path, metadata: dict[str, str]) -> None:
    """One file, weights inside. Raises what torch.onnx does for a network that it cannot express."""
    program = torch.onnx.export(
        network,
        (image,),
        dynamo=True,
        opset_version=OPSET,
        dynamic_shapes=network.dynamic_shapes(),
        input_names=["image"],
        output_names=["probabilities"],
        verbose=False,
    )
    assert program is not None
    program.model.metadata_props.update(metadata)
    program.save(str(path))


def _check_parity(network: Deployed, image: torch.Tensor, path: Path, name: Path) -> None:
    """What leaves the house is run once before it does."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    values = np.random.default_rng(0).random(image.shape, np.float32)
    with torch.no_grad():
        wanted = network(torch.from_numpy(values)).numpy()
    (found,) = session.run(None, {"image": values})
    differs = float(np.abs(found - wanted).max())
    if not differs <= PARITY:
        raise RunFailed(f"{name}: the ONNX graph differs from torch by {differs:.1e}; leave part `model` out")


def model_item(order: Order, files: list[Path], parameters: int) -> dict[str, Any]:
    """The STAC item of the model, with the extension MLM."""
    run, job = order.run, order.run.job
    stats, gsd_m = seen_target(run.folder / "cache")
    named = ("mlm", "classification", "file", "processing")
    found = item(f"{run.id}-model", _map_grid(order), [SCHEMAS[name] for name in named])
    network = job.network
    found["properties"] |= processing(order) | {
        "bands": [{"name": name, "data_type": "float32"} for name in stats.names],
        "mlm:name": f"{job.name} {order.model}",
        "mlm:architecture": f"{network.decoder} on {network.encoder}",
        "mlm:tasks": ["semantic-segmentation"],
        "mlm:framework": "pytorch",
        "mlm:framework_version": version_of("torch"),
        "mlm:total_parameters": parameters,
        "mlm:pretrained": network.weights is not None,
        "mlm:pretrained_source": network.weights and Path(network.weights).stem,
        "mlm:input": [_input(stats.names, stats.mean, stats.std, gsd_m)],
        "mlm:output": [_output(order, len(job.legend.classes))],
        "mlm:hyperparameters": {"method": job.method.name, "seed": job.seed, **job.schedule.model_dump()},
    }
    kinds = {
        ".safetensors": ("application/octet-stream", "mlm:weights", "safetensors"),
        ".pt2": ("application/octet-stream; application=pytorch", "mlm:model", "torch.export.save"),
        ".onnx": ("application/octet-stream; framework=onnxruntime", "mlm:model", "onnx"),
    }
    bands = [{"name": name} for name in stats.names]  # without them, STAC 1.1 forbids the item's own
    for path in files:
        media, role, artifact = kinds[path.suffix]
        facts = {"href": f"./{MODEL_FOLDER}/{path.name}", "type": media, **file_facts(path)}
        roles = list(dict.fromkeys(["mlm:model", role]))
        more = {"roles": roles, "bands": bands, "mlm:artifact_type": artifact}
        found["assets"][path.suffix[1:]] = facts | more
    found["assets"]["onnx"]["description"] = (
        "Pixel values over 255 in, probabilities out; runs in QGIS with the plugin Deepness"
    )
    found["links"] = [{"rel": "self", "href": f"./{MODEL_ITEM}", "type": "application/geo+json"}]
    return found


def _map_grid(order: Order) -> Grid:
    """Of the first scene."""
    with Scene.open(order.made(order.stems[0], "class")) as scene:
        return scene.grid


def _input(
    names: tuple[str, ...], mean: tuple[float, ...], std: tuple[float, ...], gsd_m: float
) -> dict[str, Any]:
    scaling = [{"type": "z-score", "mean": m, "stddev": s} for m, s in zip(mean, std, strict=True)]
    return {
        "name": f"pixel values at {gsd_m:.4g} m",
        "bands": list(names),
        "input": {
            "shape": [-1, len(names), -1, -1],
            "dim_order": ["batch", "bands", "height", "width"],
            "data_type": "float32",
        },
        "value_scaling": scaling,
    }


def _output(order: Order, k: int) -> dict[str, Any]:
    known = [c for c in classes(order.run.job.legend) if not c.get("nodata")]
    return {
        "name": "probabilities",
        "tasks": ["semantic-segmentation"],
        "result": {
            "shape": [-1, k, -1, -1],
            "dim_order": ["batch", "class", "height", "width"],
            "data_type": "float32",
        },
        "classification:classes": known,
    }


@contextmanager
def _quiet() -> Iterator[None]:
    """torch's exporters say much that nobody can act on."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        logging.disable(level)
