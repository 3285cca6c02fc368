"""The built-in sample: a labelled place and an unlabelled one, drawn by this script in a few seconds.

The second place differs as a real one does: other class shares, another season, another sensor.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from core.errors import BadInput
from core.sample.drawing import CLASSES
from core.sample.sites import BANDS, SOURCE, TARGETS, Drawn, draw_place, draw_target
from geo_io.legend import IGNORE
from geo_io.patch_file import write_bands
from geo_io.polygons import outlines, write_polygons
from geo_io.whole_file import whole_folder

COLORS = dict(zip(CLASSES, ("#0072b2", "#009e73", "#e69f00", "#f0e442", "#4d4d4d", "#cc79a7"), strict=True))
"""Okabe and Ito's palette (2008), told apart with any colour vision; a dark grey for roads."""


def draw_sample(
    folder: Path,
    seed: int = 0,
    strength: float = 1.0,
    report: Callable[[int, int], None] = lambda *_: None,
) -> Path:
    """Draw the sample into `folder` and return the path of its job file.

    `strength` scales how far the target's season and sensor are from the source's: 0 not at all, 1 as
    shipped. `report` hears how many of the places are drawn; what it raises leaves nothing behind.
    Raises BadInput where `folder` holds anything already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadInput(folder, "is not an empty folder", "name a new one")
    with whole_folder(folder) as partial:
        for room in ("source", "target", "check"):
            (partial / room).mkdir()
        total = 1 + len(TARGETS)
        report(0, total)
        source = draw_place(SOURCE, seed)
        _write_image(partial / "source/scene.tif", source)
        _write_labels(partial / "source/labels.tif", source)
        _write_vector(partial / "source/labels.gpkg", source)
        for done, name in enumerate(TARGETS, 1):
            report(done, total)
            target = draw_target(name, seed, strength)
            _write_image(partial / f"target/{name}.tif", target)
            _write_labels(partial / f"check/{name}.tif", target)
        report(total, total)
        job, own = (yaml.safe_dump(part, sort_keys=False) for part in (_job(), _OWN))
        (partial / "job.yaml").write_text(JOB_HEAD + job + OWN_HEAD + own, encoding="utf-8")
    return folder / "job.yaml"


def _write_image(path: Path, drawn: Drawn) -> None:
    write_bands(path, drawn.image.values, drawn.image.grid, nodata=0, names=BANDS)


def _write_labels(path: Path, drawn: Drawn) -> None:
    colors = [_rgb(color) for color in COLORS.values()]
    write_bands(path, drawn.label[None], drawn.image.grid, nodata=IGNORE, colors=colors)


def _write_vector(path: Path, drawn: Drawn) -> None:
    grid = drawn.image.grid
    named = ((outline, CLASSES[i]) for outline, i in outlines(drawn.label, drawn.image.valid, grid))
    write_polygons(path, grid.crs_wkt, named, "class")


def _rgb(color: str) -> tuple[int, int, int]:
    r, g, b = bytes.fromhex(color[1:])
    return r, g, b


JOB_HEAD = """\
# A labelled place, an unlabelled one, and how to get from the first to the second: isthmus run job.yaml
# Paths are relative to this file. Labels under check/ are for scoring only; no run learns from them.
"""


def _job() -> dict[str, Any]:
    return {
        "version": 1,
        "name": "sample",
        "seed": 0,
        "source": {
            "name": "home",
            "bands": list(BANDS),
            "scenes": [
                {"path": "source/scene.tif", "labels": {"path": "source/labels.gpkg", "attribute": "class"}}
            ],
        },
        "target": {
            "name": "abroad",
            "bands": list(BANDS),
            "scenes": [
                {"path": f"target/{name}.tif", "labels": {"path": f"check/{name}.tif", "use": "check"}}
                for name in TARGETS
            ],
        },
        "legend": {"classes": [{"name": name, "color": color} for name, color in COLORS.items()]},
    }


_OWN: dict[str, Any] = {
    "sampling": {"crop_px": 96, "batch": 8},
    "network": {
        "decoder": "unet",
        "encoder": "resnet18",
        "weights": None,
        "encoder_depth": 3,
        "decoder_channels": [64, 32, 16],
    },
    "schedule": {"steps": 500, "lr": 1e-3, "head_lr_factor": 1.0},
    "method": {"name": "combined", "options": {"target_means": True, "jitter": 0.5}},
}
OWN_HEAD = """\
# All from here on is for this small sample alone: a toy network, trained from random numbers in minutes.
# A job for imagery of your own leaves these four groups out, and so takes what is good for most: larger
# crops, an encoder with pretrained weights, more steps, the method's own options (`isthmus settings METHOD`).
"""
