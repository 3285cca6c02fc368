"""What a run will take, in figures and in words; no torch. `core.execution.estimate` measures it."""

from pydantic import BaseModel

from core.console import duration


class PhaseCost(BaseModel, defer_build=True):
    """A phase of training; `seconds_per_step` was measured on this machine."""

    name: str
    steps: int
    seconds_per_step: float

    @property
    def seconds(self) -> float:
        return self.steps * self.seconds_per_step


class Cost(BaseModel, defer_build=True):
    """Times in seconds, sizes in GiB. `memory_gib` is the device's, or the process's on a CPU.

    `judging_s`: what models are compared by, and statistics that are renewed. None: not to be known here.
    """

    device: str
    phases: list[PhaseCost]
    judging_s: float
    maps_s: float
    tiles: int
    memory_gib: float | None
    memory_there_gib: float | None
    disk_gib: float
    disk_free_gib: float

    @property
    def training_s(self) -> float:
        return sum(phase.seconds for phase in self.phases)

    @property
    def total_s(self) -> float:
        return self.training_s + self.judging_s + self.maps_s

    @property
    def fits_disk(self) -> bool:
        return self.disk_gib <= self.disk_free_gib

    @property
    def warnings(self) -> list[str]:
        """What will not fit, with what to do."""
        found = []
        if self.memory_gib and self.memory_there_gib and self.memory_gib > 0.9 * self.memory_there_gib:
            found.append(
                f"needs about {self.memory_gib:.1f} GiB of memory and {self.device} has "
                f"{self.memory_there_gib:.1f}: lower sampling.batch, sampling.crop_px or predict.batch"
            )
        if not self.fits_disk:
            found.append(
                f"writes up to {self.disk_gib:.1f} GiB and {self.disk_free_gib:.1f} are free: "
                "free some, or put the run elsewhere with --to"
            )
        return found

    def content(self) -> dict[str, object]:
        """For JSON: the fields, the sums, and the sums in words."""
        sums = {"training_s": self.training_s, "total_s": self.total_s}
        return self.model_dump() | sums | {"warnings": self.warnings, "text": self.text()}

    def text(self) -> str:
        each = [f"{p.steps} steps of {p.name} at {_pace(p.seconds_per_step)}" for p in self.phases if p.steps]
        memory = "" if self.memory_gib is None else f"{self.memory_gib:.1f} GiB of memory{self._there()}, "
        return "\n".join(
            [
                f"about {duration(self.total_s)} on {self.device}, after the images are read",
                f"training {duration(self.training_s)}: {', '.join(each)}",
                f"judging {duration(self.judging_s)}, maps {duration(self.maps_s)} ({self.tiles} tiles)",
                f"{memory}up to {self.disk_gib:.1f} GiB on disk ({self.disk_free_gib:.1f} free)",
                *(f"warning: {text}" for text in self.warnings),
            ]
        )

    def _there(self) -> str:
        return "" if self.memory_there_gib is None else f" (of {self.memory_there_gib:.1f})"


def _pace(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"
