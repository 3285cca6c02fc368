"""What is to be delivered of a run, and where to."""

from dataclasses import dataclass
from pathlib import Path

from core.delivery.parts import Cleaning, Part
from core.files import read_json
from core.map_files import Which, map_path
from core.run import Run


@dataclass(frozen=True)
class Order:
    """What is delivered: maps of `stems` by one model of a run, to the folder `to`."""

    run: Run
    which: Which
    stems: list[str]
    to: Path
    cleaning: Cleaning

    def made(self, stem: str, part: Part) -> Path:
        """The run's own raster, `class` or `confidence`."""
        return map_path(self.run.folder, self.which, stem, "class" if part == "class" else "confidence")

    def path(self, stem: str, part: Part) -> Path:
        """Where the raster of a scene goes."""
        return self.to / self.made(stem, part).name

    @property
    def model(self) -> str:
        """The model that made the maps: `source-only` or `adapted`."""
        if self.which == "chosen":
            return str(read_json(self.run.folder / "verdict.json")["chosen"])
        return self.which
