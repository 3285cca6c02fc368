"""From a job's files to training data: open, match bands, measure, index, hold out."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from core.bench import SOURCE, TARGET
from core.errors import BadInput
from core.events import Progressed
from core.files import read_json, write_json
from core.imagery import holdout
from core.imagery.class_index import ClassIndex, build_index
from core.imagery.data import Domain
from core.imagery.places import Place, open_pair, working_gsd_m
from core.job import Job
from geo_io.band_stats import BandStats, measure

Scaling = tuple[tuple[float, float], ...]
"""Scale and offset of each band."""


@dataclass(frozen=True)
class Prepared:
    """Everything that training and prediction need of the data."""

    bands: tuple[str, ...]
    gsd_m: float
    domains: dict[str, Domain]


def prepare(job: Job, cache: Path) -> Iterator[Progressed | Prepared]:
    """Yield progress, and last the prepared data. What was measured stays in `cache` for a resume."""
    source, target = open_pair(job)
    gsd_m = working_gsd_m(job, source, target)
    cell_px = job.sampling.crop_px // 2
    indexes: list[ClassIndex] = []
    for name, places in ((SOURCE, source), (TARGET, target)):
        for found in build_index(
            places, gsd_m, cell_px, len(job.legend.classes), cache / f"index-{name}.npz"
        ):
            if isinstance(found, ClassIndex):
                indexes.append(found)
            else:
                yield found
    if not any(counts.any() for counts in indexes[0].classes):
        raise BadInput(
            job.source.name,
            "has no labelled pixel",
            "check labels, legend values and overlap: `isthmus inspect`",
        )
    held = holdout.choose(
        indexes[0].classes, cell_px, 4, job.sampling.holdout, job.sampling.crop_px // 8, job.seed
    )
    stats = _stats(source, cache / f"stats-{SOURCE}.json")
    scaled_like = stats if job.sampling.statistics == "source" else None
    target_stats = _stats(target, cache / f"stats-{TARGET}.json", scaled_like)
    domains = {
        SOURCE: Domain(source, stats, gsd_m, job.sampling, indexes[0], held),
        TARGET: Domain(target, target_stats, gsd_m, job.sampling, indexes[1]),
    }
    if not (cache / "data.json").exists():
        scaling = list(dict.fromkeys(place.scene.scaling for place in target))
        write_json(cache / "data.json", {"gsd_m": gsd_m, "scaling": scaling})
    yield Prepared(source[0].scene.bands, gsd_m, domains)


def seen_target(cache: Path) -> tuple[BandStats, float]:
    """The target as a run's networks saw it: its radiometry, bands named in their order, and gsd in metres.

    All that is needed to map with them once the run's own images are gone. Raises BadInput for a run that
    was not prepared.
    """
    return seen(cache, TARGET), read_json(cache / "data.json")["gsd_m"]


def seen_scaling(cache: Path) -> list[Scaling]:
    """Scales and offsets of the target's scenes, each kind once; empty for a run that did not record them."""
    kinds = read_json(cache / "data.json").get("scaling", [])
    return [tuple((scale, offset) for scale, offset in kind) for kind in kinds]


def seen(cache: Path, domain: str) -> BandStats:
    """A domain's radiometry as a run measured it. Raises BadInput for a run that was not prepared."""
    return BandStats.from_dict(read_json(cache / f"stats-{domain}.json"))


def _stats(places: list[Place], cache: Path, scaled_like: BandStats | None = None) -> BandStats:
    """A domain's radiometry, measured once and recorded in the run; mean and spread may be another's."""
    if not cache.exists():
        found = measure((place.scene, place.area) for place in places)
        if scaled_like:
            found = replace(found, mean=scaled_like.mean, std=scaled_like.std)
        write_json(cache, found.to_dict())
    return BandStats.from_dict(read_json(cache))
