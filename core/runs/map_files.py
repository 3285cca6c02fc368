"""Where the maps of a run lie, by model, scene and part; no torch here."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Literal

from core.job import Job, Predict, SceneFiles
from core.terms import Which

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

IMAGE_TAG = "IMAGE"
"""The tag of a map that tells the image it is of from others of that name."""


def stems(scenes: Sequence[SceneFiles]) -> list[str]:
    """A name for each scene's map: its file's, numbered where two are the same, whatever case they are in."""
    plain = [scene.path.stem for scene in scenes]
    alike = Counter(name.casefold() for name in plain)
    taken = {fold for fold, times in alike.items() if times == 1}
    names = []
    for i, name in enumerate(plain, 1):
        names.append(name if alike[name.casefold()] == 1 else numbered(name, taken, i))
        taken.add(names[-1].casefold())
    return names


def numbered(name: str, taken: Collection[str], first: int = 1) -> str:
    """`name` with a number, from `first` on, that makes it none of the case-folded names in `taken`."""
    return next(f"{name}-{i}" for i in count(first) if f"{name}-{i}".casefold() not in taken)


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
