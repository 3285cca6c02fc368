"""What preflight reports: JSON-able, and in plain words."""

import re
from collections import Counter

from pydantic import BaseModel

from core.errors import BadInput


class Finding(BaseModel, defer_build=True):
    """Something wrong or odd: the file, band or option, what it is, and what to do."""

    where: str
    what: str
    remedy: str

    @classmethod
    def of(cls, fault: BadInput) -> "Finding":
        return cls(where=fault.culprit, what=fault.problem, remedy=fault.remedy)

    @property
    def text(self) -> str:
        return f"{self.where}: {self.what}; {self.remedy}"


ALIKE = 4
"""From so many on, findings that differ in a file and in figures only are one."""


def gathered(findings: list[Finding]) -> list[Finding]:
    """The same, those that are alike in one: a mosaic says once that the edges of its tiles are ragged."""
    alike: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        alike.setdefault((re.sub(r"\d+(\.\d+)?", "#", finding.what), finding.remedy), []).append(finding)
    together = []
    for found in alike.values():
        first = found[0]
        if len(found) >= ALIKE:
            where = f"{first.where} (and {len(found) - 1} more alike)"
            together.append(first.model_copy(update={"where": where}))
        else:
            together += found
    return together


class LabelReport(BaseModel, defer_build=True):
    """Usable working pixels and features by class; pixels of values without a class.

    `counted` says in words whether all of the scene was counted.
    """

    path: str
    counted: str
    pixels: dict[str, int]
    features: dict[str, int] | None
    unmapped: dict[str, int]

    def lines(self) -> list[str]:
        total = max(sum(self.pixels.values()), 1)
        heads = [f"labels {self.path} ({self.counted})"]
        for name, pixels in self.pixels.items():
            features = "" if self.features is None else f", {self.features.get(name, 0)} features"
            heads.append(f"  {name}: {pixels / total:.2%}, {pixels} px{features}")
        strays = ", ".join(f"{value} ({n} px)" for value, n in self.unmapped.items())
        return heads + ([f"  without a class: {strays}"] if strays else [])


class SceneReport(BaseModel, defer_build=True):
    """One image as it was found; sizes in its own pixels."""

    path: str
    region: str
    crs: str | None
    gsd_m: float
    width_px: int
    height_px: int
    bands: list[str]
    dtype: str
    nodata_source: str
    valid_share: float
    labels: LabelReport | None = None

    def lines(self) -> list[str]:
        head = f"{self.region}: {self.path}"
        size = f"{self.width_px} x {self.height_px} px of {self.gsd_m:.3g} m, {self.crs or 'no CRS'}"
        bands = f"{len(self.bands)} bands of {self.dtype}: {', '.join(self.bands)}"
        nodata = f"{self.valid_share:.1%} valid; nodata by: {self.nodata_source}"
        return [
            head,
            *(f"  {line}" for line in (size, bands, nodata, *(self.labels.lines() if self.labels else []))),
        ]


class Histogram(BaseModel, defer_build=True):
    """Valid pixels of one band of a whole place, counted in equal bins from `low` to `high`."""

    band: str
    low: float
    high: float
    counts: list[int]


class PairReport(BaseModel, defer_build=True):
    """The two places against each other. `gsd_ratio` is coarser over finer.

    `distance`: Wasserstein-1 by band, in pooled standard deviations of the whole domains.
    `source`, `target`: how the pixel values of each are spread, by band.
    """

    working_gsd_m: float
    gsd_ratio: float
    same_crs: bool
    bands: list[str]
    distance: dict[str, float]
    source: list[Histogram] = []
    target: list[Histogram] = []

    def lines(self) -> list[str]:
        sizes = (
            f"pixel sizes differ by {self.gsd_ratio:.2f} times, the network sees {self.working_gsd_m:.3g} m"
        )
        systems = "same CRS" if self.same_crs else "different CRS (no obstacle)"
        bands = [
            f"    {name}: {in_words(d)} ({d:.2f} standard deviations)" for name, d in self.distance.items()
        ]
        return [
            "source against target",
            f"  {sizes}; {systems}",
            "  distance of the pixel values by band:",
            *bands,
        ]


class Verdict(BaseModel, defer_build=True):
    """Everything preflight found. Faults make a run meaningless; warnings do not."""

    job: str
    scenes: list[SceneReport] = []
    pair: PairReport | None = None
    faults: list[Finding] = []
    warnings: list[Finding] = []

    def text(self) -> str:
        parts = [line for scene in self.scenes for line in scene.lines()]
        parts += self.pair.lines() if self.pair else []
        parts += [f"warning: {finding.text}" for finding in self.warnings]
        parts += [f"fault: {finding.text}" for finding in self.faults]
        end = "the job cannot run" if self.faults else "the job can run"
        return "\n".join([*parts, f"{end} (faults: {len(self.faults)}, warnings: {len(self.warnings)})"])

    def label_shares(self) -> dict[str, float]:
        """Class -> its share of the labelled pixels of all scenes; empty where none were counted."""
        pixels: Counter[str] = Counter()
        for scene in self.scenes:
            pixels.update(scene.labels.pixels if scene.labels else {})
        total = pixels.total()
        return {name: count / total for name, count in pixels.items()} if total else {}

    def raise_faults(self) -> None:
        """Raises BadInput for the first fault, naming how many more there are."""
        if self.faults:
            first, more = self.faults[0], len(self.faults) - 1
            others = f" ({more} more: `isthmus inspect`)" if more else ""
            raise BadInput(first.where, first.what, first.remedy + others)


def in_words(distance: float) -> str:
    """A distance in standard deviations as small, moderate or large."""
    return "small" if distance < 0.3 else "moderate" if distance < 1 else "large"
