"""Mapping more scenes with the model of a run that has ended."""

from collections.abc import Iterator
from pathlib import Path

import torch

from core.checkpoint import load_weights, weights_path
from core.devices import autocast_type, launch
from core.errors import BadInput
from core.events import Pictured, Progressed
from core.files import located, read_json
from core.job import SceneFiles
from core.map_files import CLASS_SUFFIX, Which, stems
from core.maps import predictor, tags
from core.networks.segmentor import Segmentor, build_segmentor
from core.places import open_like
from core.predict import predict_scene
from core.prepare import seen_target
from core.run import Run, open_run


def map_scenes(
    folder: Path, images: list[Path], to: Path, which: Which, probabilities: bool = False
) -> Iterator[Progressed | Pictured]:
    """Write a map of each image to `to`. They must be like the target's: its sensor, bands and season.

    As the run's own maps; `probabilities`: with a raster of every class's probability, whatever the run has.
    Of the run nothing but its folder is needed. Raises BadInput where it has no such model, or an image
    does not fit.
    """
    run = open_run(folder)
    stage = _stage(run, which)
    scenes = [SceneFiles(path=located(path)) for path in images]
    target = run.job.target.model_copy(update={"scenes": scenes})
    bands = seen_target(run.folder / "cache")[0].names
    places = open_like(target, run.job.legend, bands)
    device = launch(run.job.schedule).device
    maker = predictor(run, finished_model(run, stage, bands, device), device)
    if probabilities:
        maker.options = maker.options.model_copy(update={"probabilities": True})
    for place, stem in zip(places, stems(scenes), strict=True):
        yield from predict_scene(maker, place.scene, place.area, to, stem, tags(run, stage))
        yield Pictured(what=f"map {stem}", path=str(to / (stem + CLASS_SUFFIX)))


def _stage(run: Run, which: Which) -> str:
    stage: str = which
    if which == "chosen":
        if not (run.folder / "verdict.json").exists():
            raise BadInput(
                run.folder, "has not chosen a model yet", "let the run end: `isthmus run` resumes it"
            )
        stage = read_json(run.folder / "verdict.json")["chosen"]
    if not weights_path(run.phase(stage)).exists():
        made = [name for name in ("source-only", "adapted") if weights_path(run.phase(name)).exists()]
        raise BadInput(
            run.folder, f"has no finished {stage} model", f"it has: {', '.join(made) or 'none yet'}"
        )
    return stage


def finished_model(run: Run, stage: str, bands: tuple[str, ...], device: torch.device) -> Segmentor:
    """The network of a finished stage, on `device`. Raises BadInput for weights that do not fit."""
    # The run's weights replace all others: nothing is to be fetched.
    network = run.job.network.model_copy(update={"weights": None})
    model, _ = build_segmentor(network, bands, len(run.job.legend.classes))
    load_weights(model, weights_path(run.phase(stage)))
    model.precision = autocast_type(run.job.schedule, device)
    return model.to(device)
