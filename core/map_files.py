"""Where the maps of a run lie, by model, scene and part; no torch here."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from core.job import Job, Predict, SceneFiles

RasterPart = Literal["class", "confidence", "probabilities"]

CLASS_SUFFIX, CONFIDENCE_SUFFIX = ".class.tif", ".confidence.tif"
SUFFIXES: Mapping[RasterPart, str] = {
    "class": CLASS_SUFFIX,
    "confidence": CONFIDENCE_SUFFIX,
    "probabilities": ".probabilities.tif",
}

OPTIONAL: Sequence[RasterPart] = ("confidence", "probabilities")
"""Those that a run makes only where `predict` asks for them."""

CONFIDENCE_STEPS = 254
"""What a probability of 1 is in a raster of confidence or of probabilities; 255 is no data."""

Which = Literal["chosen", "source-only", "adapted"]


def stems(scenes: Sequence[SceneFiles]) -> list[str]:
    """A name for each scene's map: its file's, numbered where two are the same."""
    plain = [scene.path.stem for scene in scenes]
    return [name if plain.count(name) == 1 else f"{name}-{i + 1}" for i, name in enumerate(plain)]


def layers(options: Predict, classes: int) -> dict[RasterPart, range]:
    """The rasters that the options ask for, and their layers: class 0, confidence 1, probabilities from 2."""
    parts: dict[RasterPart, range] = {"class": range(1)}
    if options.confidence:
        parts["confidence"] = range(1, 2)
    if options.probabilities:
        parts["probabilities"] = range(2, 2 + classes)
    return parts


def layer_count(options: Predict, classes: int) -> int:
    """Bands of all the rasters that the options ask for."""
    return sum(map(len, layers(options, classes).values()))


def share_names(part: RasterPart, classes: Sequence[str]) -> list[str]:
    """The names of the bands of an optional raster."""
    return list(classes) if part == "probabilities" else [part]


def mapped_stems(job: Job) -> list[str]:
    """The names of the maps that the job makes, in its scenes' order."""
    scenes = job.target.scenes
    return [stem for scene, stem in zip(scenes, stems(scenes), strict=True) if scene.map]


def map_path(run: Path, which: Which, stem: str, part: RasterPart = "class") -> Path:
    """The raster of one scene in the run's folder; there once the run has made it."""
    folder = run / "maps" if which == "chosen" else run / "maps" / which
    return folder / (stem + SUFFIXES[part])
