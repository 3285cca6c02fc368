"""Where the maps of a run lie, by model, scene and part; no torch here."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from core.job import Job, SceneFiles

CLASS_SUFFIX, CONFIDENCE_SUFFIX = ".class.tif", ".confidence.tif"

CONFIDENCE_STEPS = 254
"""What a probability of 1 is in a confidence raster; 255 is no data."""

Part = Literal["class", "confidence"]
Which = Literal["chosen", "source-only", "adapted"]


def stems(scenes: Sequence[SceneFiles]) -> list[str]:
    """A name for each scene's map: its file's, numbered where two are the same."""
    plain = [scene.path.stem for scene in scenes]
    return [name if plain.count(name) == 1 else f"{name}-{i + 1}" for i, name in enumerate(plain)]


def mapped_stems(job: Job) -> list[str]:
    """The names of the maps that the job makes, in its scenes' order."""
    scenes = job.target.scenes
    return [stem for scene, stem in zip(scenes, stems(scenes), strict=True) if scene.map]


def map_path(run: Path, which: Which, stem: str, part: Part = "class") -> Path:
    """The raster of one scene in the run's folder; there once the run has made it."""
    folder = run / "maps" if which == "chosen" else run / "maps" / which
    return folder / (stem + (CLASS_SUFFIX if part == "class" else CONFIDENCE_SUFFIX))
