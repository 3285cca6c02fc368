"""The maps of a run: every candidate's, the chosen one's, and their scores from the files on disk."""

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.bench import TARGET, Bench
from core.errors import BadInput
from core.events import AnyEvent, Evaluated, Pictured
from core.files import read_json, write_json
from core.judging.evaluate import evaluate
from core.judging.metrics import Confusion
from core.judging.target_calibration import target_calibration
from core.mapping.predict import Predictor, predict_scene
from core.networks.segmentor import Segmentor
from core.prepare import Prepared, seen_target
from core.runs.map_files import CLASS_SUFFIX, SUFFIXES, stems
from core.runs.run import Run
from geo_io.whole_file import whole


def tags(run: Run, model: str) -> dict[str, str]:
    """What a map says of its origin; no time of day, so that the same run writes the same bytes."""
    job = run.job
    return {
        "RUN": run.id,
        "METHOD": job.method.name,
        "MODEL": model,
        "SEED": str(job.seed),
        "TRAINED_ON_TARGET_LABELS": "yes (oracle)" if job.oracle else "no",
    }


def predictor(run: Run, segmentor: Segmentor, device: torch.device) -> Predictor:
    """Prediction with a finished model, on `device` already, on the target's radiometry."""
    stats, gsd_m = seen_target(run.folder / "cache")
    return Predictor(segmentor, stats, run.job.legend, run.job.predict, device, gsd_m)


def make_maps(run: Run, models: dict[str, Bench], data: Prepared) -> Iterator[AnyEvent]:
    """Map every target scene with every model, and link the chosen model's as the run's own maps."""
    chosen = read_json(run.folder / "verdict.json")["chosen"]
    names = stems(run.job.target.scenes)
    asked = {"both": list(models), "chosen": [chosen], "method": [list(models)[-1], chosen]}
    for model in dict.fromkeys(asked[run.job.predict.models]):
        maker = predictor(run, models[model].segmentor, models[model].device)
        for scene, place, stem in zip(run.job.target.scenes, data.domains[TARGET].places, names, strict=True):
            if not scene.map:
                continue
            folder = run.maps / model
            yield from predict_scene(maker, place.scene, place.area, folder, stem, tags(run, model))
            if model == chosen:
                for suffix, sidecar in itertools.product(SUFFIXES.values(), ("", ".aux.xml")):
                    name = stem + suffix + sidecar
                    _link(folder / name, run.maps / name)
                yield Pictured(what=f"map {stem}", path=f"maps/{stem}{CLASS_SUFFIX}")


def _link(made: Path, at: Path) -> None:
    """A second name for a file, or a copy where the file system gives none, instead of what was there."""
    if made.exists():
        with whole(at) as partial:
            try:
                os.link(made, partial)
            except OSError:
                shutil.copyfile(made, partial)
    else:
        at.unlink(missing_ok=True)


def score_maps(run: Run, models: dict[str, Bench]) -> Iterator[AnyEvent]:
    """Score the maps on disk against check labels, where there are any; all scenes pooled.

    There too: whether each model is right as often as it says.
    """
    job, verdict = run.job, read_json(run.folder / "verdict.json")
    checked = [
        (scene, stem)
        for scene, stem in zip(job.target.scenes, stems(job.target.scenes), strict=True)
        if scene.map and scene.labels and scene.labels.use == "check"
    ]
    if not checked:
        return
    scores: dict[str, Any] = {}
    for folder in sorted(path for path in run.maps.iterdir() if path.is_dir()):
        total = Confusion(len(job.legend.classes))
        for scene, stem in checked:
            if scene.labels is None:
                raise BadInput(scene.path, "has no check labels", "mark them `use: check`")
            found = evaluate(
                folder / (stem + CLASS_SUFFIX), scene.labels, job.legend, scene.area, scene.area_wkt
            )
            total.matrix += np.array(found["confusion"], np.int64)
            total.unpredicted += found["unpredicted"]
        signals = verdict.get(folder.name.replace("-", "_"), {})
        calibration = target_calibration(models[folder.name], signals)
        scores[folder.name] = total.scores(job.legend.names) | {"calibration": calibration}
        yield Evaluated(what=f"{folder.name} map", scores=scores[folder.name])
    write_json(run.folder / "scores.json", scores)
