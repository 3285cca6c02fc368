"""What is to be delivered of a run, and where to; no torch here, the window reads it."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.delivery.parts import MODEL_FOLDER, PARTS, Cleaning, Part
from core.files import read_json
from core.runs.map_files import OPTIONAL, RasterPart, map_path, mapped_stems
from core.runs.run import Run, open_run
from core.terms import Which


@dataclass(frozen=True)
class Order:
    """What is delivered: maps of `stems` by one model of a run, to the folder `to`."""

    run: Run
    which: Which
    stems: list[str]
    to: Path
    cleaning: Cleaning

    def made(self, stem: str, part: RasterPart) -> Path:
        """The run's own raster."""
        return map_path(self.run.folder, self.which, stem, part)

    def path(self, stem: str, part: RasterPart) -> Path:
        """Where the raster of a scene goes."""
        return self.to / self.made(stem, part).name

    @property
    def workshop(self) -> Path:
        """A folder for what is needed on the way only."""
        return self.to / "cleaned.partial"

    def classes(self, stem: str) -> Path:
        """The class raster to deliver: the run's own, or a cleaned one on the way."""
        made = self.made(stem, "class")
        return self.workshop / made.name if self.cleaning.changes_raster else made

    @property
    def model(self) -> str:
        """The model that made the maps: `source-only` or `adapted`."""
        if self.which == "chosen":
            return str(read_json(self.run.folder / "verdict.json")["chosen"])
        return self.which


def parts_made(folder: Path, which: Which, scenes: Sequence[str] = ()) -> list[Part]:
    """What can be delivered of `scenes` (default: all): an optional raster only where each of them has it."""
    stems = scenes or mapped_stems(open_run(folder).job)
    missing = [
        part for part in OPTIONAL if not all(map_path(folder, which, stem, part).exists() for stem in stems)
    ]
    return [part for part in PARTS if part not in missing]


def drop_unfinished(to: Path, scenes: Sequence[str]) -> None:
    """Take away what a delivery that was killed was writing; one that ends by itself leaves no such file."""
    begins = (*(f"{stem}." for stem in scenes), "cleaned.", "report.", "bundle.", "model.", "weights.")
    for folder in (to, to / MODEL_FOLDER):
        for path in folder.glob("*.partial*"):
            if path.name.startswith(begins):
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
