"""Mapping more scenes with the model of a run that has ended."""

from collections.abc import Iterator
from pathlib import Path

import torch

from core.checkpoint import load_weights, weights_path
from core.checks.findings import Finding
from core.checks.label_census import oddities
from core.checks.preflight import UNSCALE, in_figures, off_earth
from core.devices import autocast_type, launch, placed
from core.errors import BadInput
from core.events import Pictured, Progressed, Warned
from core.execution.maps import predictor, tags
from core.files import located, read_json
from core.imagery.places import open_like
from core.job import SceneFiles
from core.mapping.predict import predict_scene
from core.networks.segmentor import Segmentor, build_segmentor
from core.prepare import Scaling, seen_scaling, seen_target
from core.runs.map_files import CLASS_SUFFIX, IMAGE_TAG, stems
from core.runs.run import Run, open_run
from core.terms import TestTimeViews, Which
from geo_io.band_stats import BandStats, beyond
from geo_io.fingerprint import content_of
from geo_io.scene import Scene
from geo_io.write import read_tags

MOST_BEYOND = 0.5


def map_scenes(
    folder: Path,
    images: list[Path],
    to: Path,
    which: Which,
    probabilities: bool = False,
    test_time_views: TestTimeViews | None = None,
) -> Iterator[Progressed | Pictured | Warned]:
    """Write a map of each image to `to`. They must be like the target's: its sensor, bands and season.

    As the run's own maps, but for what is asked otherwise: `probabilities`, with a raster of every class's
    probability; `test_time_views`, each tile seen in so many orientations.
    Of the run nothing but its folder is needed. Raises BadInput where it has no such model, an image does
    not fit, or `to` holds another image's map by its name.
    """
    run = open_run(folder)
    stage = _stage(run, which)
    scenes = [SceneFiles(path=located(path)) for path in images]
    target = run.job.target.model_copy(update={"scenes": scenes})
    stats, scaling = seen_target(run.folder / "cache")[0], seen_scaling(run.folder / "cache")
    places = open_like(target, run.job.legend, stats.names)
    names = stems(scenes)
    for place, stem in zip(places, names, strict=True):
        _check(place.scene, to / (stem + CLASS_SUFFIX))
    device = launch(run.job.schedule).device
    maker = predictor(run, finished_model(run, stage, stats.names, device), device)
    asked = {"probabilities": probabilities, "test_time_views": test_time_views}
    maker.options = maker.options.model_copy(update={name: value for name, value in asked.items() if value})
    for place, stem in zip(places, names, strict=True):
        for finding in _oddities(place.scene, stats, scaling):
            yield Warned(text=finding.text)
        yield from predict_scene(maker, place.scene, place.area, to, stem, tags(run, stage))
        yield Pictured(what=f"map {stem}", path=str(to / (stem + CLASS_SUFFIX)))


def _check(scene: Scene, map_: Path) -> None:
    """Raises BadInput for coordinates that no place has, and where another image's map would be lost."""
    for fault in off_earth(scene):
        raise BadInput(fault.where, fault.what, fault.remedy)
    if map_.exists() and (read_tags(map_) or {}).get(IMAGE_TAG) != content_of(scene.path):
        problem = f"is not a map of {scene.path} as it is now"
        raise BadInput(map_, problem, "name another folder with --to, or delete it")


def _oddities(scene: Scene, stats: BandStats, scaling: list[Scaling]) -> Iterator[Finding]:
    """What is odd about a scene, and how its pixels differ from those that the networks know."""
    where = str(scene.path)
    yield from oddities(scene)
    if scaling and scene.scaling not in scaling:
        what = f"says {in_figures(scene.scaling)}, but the run's target {in_figures(scaling[0])}"
        remedy = f"bring it to the units of the run's target: {UNSCALE}"
        yield Finding(where=where, what=f"{what}: that is not applied", remedy=remedy)
    shares = beyond(stats, scene)
    if far := [name for name, share in shares.items() if share > MOST_BEYOND]:
        what = f"{shares[far[0]]:.0%} of its pixels have values that the run hardly met, in {', '.join(far)}"
        remedy = "bring it to the units of the run's target, or adapt to it in a run of its own"
        yield Finding(where=where, what=what, remedy=remedy)


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
    model, _ = build_segmentor(run.job.network.without_weights(), bands, len(run.job.legend.classes))
    load_weights(model, weights_path(run.phase(stage)))
    model.precision = autocast_type(run.job.schedule, device)
    return placed(model, device)
