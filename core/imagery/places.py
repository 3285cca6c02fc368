"""The two places of a job, opened: images, areas, and only those labels that the use at hand may see."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Literal

from core.errors import BadInput
from core.job import Job, LabelFile, Region, SceneFiles
from geo_io.grid import Grid
from geo_io.legend import Legend, Value
from geo_io.raster import RasterLabels
from geo_io.scene import Scene
from geo_io.vector_facts import VECTOR_SUFFIXES

if TYPE_CHECKING:  # geopandas is only loaded where a vector file is
    from geo_io.vector import Area, VectorLabels

Use = Literal["train", "check"]


@dataclass(frozen=True)
class CheckLabels:
    """Labels that a run must not see: where they are, and how whoever checks its maps opens them."""

    path: Path
    open: "Callable[[], RasterLabels | VectorLabels]"


@dataclass
class Place:
    """A scene of a region with what is known about it."""

    scene: Scene
    labels: "RasterLabels | VectorLabels | None"
    area: "Area | None"
    check: CheckLabels | None


def open_labels(
    path: Path,
    legend: Legend,
    *,
    attribute: str | None = None,
    layer: str | None = None,
    band: int = 1,
    mapping: Mapping[Value, str] | None = None,
    unlabelled: str | None = None,
) -> "RasterLabels | VectorLabels":
    """The labels in `path`, vector or raster by its suffix. Raises BadInput where they cannot be read."""
    if path.suffix.lower() not in VECTOR_SUFFIXES:
        return RasterLabels(path, legend, band, mapping)
    from geo_io.vector import VectorLabels

    return VectorLabels(path, legend, attribute, layer, mapping, unlabelled)


def open_region(region: Region, legend: Legend, use: Use) -> list[Place]:
    """The scenes of `region`, in its order, with only those labels whose `use` is `use`.

    Bands that a scene holds in another order than the first are brought into that order by name. Raises
    BadInput for whatever cannot be opened, and for scenes of different bands.
    """
    places = [_open_place(region, files, legend, use) for files in region.scenes]
    first = places[0].scene
    return [_matched(place, first.bands, first.path) for place in places]


def open_like(region: Region, legend: Legend, bands: tuple[str, ...]) -> list[Place]:
    """The scenes of `region`, without labels, with the bands that a network was trained on, in their order.

    Where the region does not choose its bands, those of the network are picked by name. Raises BadInput
    for whatever cannot be opened, and for a scene without such bands.
    """
    places = [_open_place(region, files, legend, "train") for files in region.scenes]
    if region.bands is None:
        places = [_picked(place, bands) for place in places]
    return [_matched(place, bands, "the network") for place in places]


def open_pair(job: Job, use: Use = "train") -> tuple[list[Place], list[Place]]:
    """Source and target with the same bands in the same order.

    Named bands are matched by name: the target's are brought into the source's order, and where neither
    region chooses its bands, those that both have are used, with a warning on the scenes that lose some.
    Bands without real names are matched by position, and take the source's names. Raises BadInput where
    nothing matches, and for target labels that are not for checking only.
    """
    for files in job.target.scenes:
        if files.labels and files.labels.use == "train":
            problem = "are labels of the target, and adaptation must not see any"
            raise BadInput(files.labels.path, problem, "write `use: check` beside them")
    source, target = (open_region(region, job.legend, use) for region in (job.source, job.target))
    if job.source.bands is None and job.target.bands is None:
        source, target = _shared(source, target)
    first = source[0].scene
    return source, [_matched(place, first.bands, first.path) for place in target]


def working_gsd_m(job: Job, source: list[Place], target: list[Place]) -> float:
    """The pixel size in metres that the network sees.

    As the job says, else the coarser of the two regions' median sizes: detail that only one of them has
    teaches nothing about the other.
    """
    if job.sampling.working_gsd_m:
        return job.sampling.working_gsd_m
    return max(median(p.scene.grid.gsd_m for p in places) for places in (source, target))


def _open_place(region: Region, files: SceneFiles, legend: Legend, use: Use) -> Place:
    scene = Scene.open(files.path, region.bands, region.band_names, region.nodata, region.invalid_when)
    area = open_area(files, scene.grid)
    if files.labels is None:
        return Place(scene, None, area, None)
    opener = _opener(files.labels, legend)
    check = CheckLabels(files.labels.path, opener) if files.labels.use == "check" else None
    return Place(scene, opener() if files.labels.use == use else None, area, check)


def open_area(files: SceneFiles, grid: Grid) -> "Area | None":
    """The scene's area of interest, from a file or drawn by hand on `grid`; None where it is all of it."""
    if files.area is None and files.area_wkt is None:
        return None
    from geo_io.vector import Area

    if files.area is None:
        return Area.of_wkt(files.area_wkt or "", files.path, grid)
    if files.area_wkt is not None:
        raise BadInput(files.path, "has both `area` and `area_wkt`", "keep one of the two")
    return Area(files.area)


def _opener(file: LabelFile, legend: Legend) -> "Callable[[], RasterLabels | VectorLabels]":
    return partial(
        open_labels,
        file.path,
        legend,
        attribute=file.attribute,
        layer=file.layer,
        band=file.band,
        mapping=file.mapping,
        unlabelled=file.unlabelled,
    )


def _matched(place: Place, bands: tuple[str, ...], owner: object) -> Place:
    """`place` with its bands in the order of `bands`, which are those of `owner`, and under their names."""
    scene = place.scene
    if scene.bands == bands:
        return place
    if len(scene.bands) != len(bands):
        raise _unlike(scene, bands, owner, "choose as many `bands` on both sides")
    if not (_really_named(scene.bands) and _really_named(bands)):
        return replace(place, scene=scene.select(scene.bands, names=bands))
    own = _by_fold(scene)
    if own.keys() != {name.casefold() for name in bands}:
        remedy = "choose the same `bands` of both, or rename them with `band_names`"
        raise _unlike(scene, bands, owner, remedy)
    return _picked(place, bands)


def _picked(place: Place, bands: tuple[str, ...]) -> Place:
    """`place` with those of its bands that are called `bands`; as it is where it lacks some."""
    own = _by_fold(place.scene)
    if not all(name.casefold() in own for name in bands):
        return place
    return replace(place, scene=place.scene.select([own[n.casefold()] for n in bands], names=bands))


def _shared(source: list[Place], target: list[Place]) -> tuple[list[Place], list[Place]]:
    """Both regions with only the named bands that both have, in the source's order."""
    ours, theirs = source[0].scene, target[0].scene
    if not (_really_named(ours.bands) and _really_named(theirs.bands)):
        return source, target
    common = [name for name in ours.bands if name.casefold() in _by_fold(theirs)]
    if not common:
        raise _unlike(theirs, ours.bands, ours.path, "name the bands alike with `band_names`")
    return _only(source, common), _only(target, common)


def _only(places: list[Place], names: list[str]) -> list[Place]:
    scene = places[0].scene
    left_out = [name for name in scene.bands if name.casefold() not in {n.casefold() for n in names}]
    if not left_out:
        return places
    warning = f"the other place lacks {', '.join(left_out)}: left out, {', '.join(names)} are used"
    own = [_by_fold(scene)[name.casefold()] for name in names]
    return [replace(p, scene=p.scene.select(own, names=names, warnings=[warning])) for p in places]


def _unlike(scene: Scene, bands: tuple[str, ...], owner: object, remedy: str) -> BadInput:
    ours, theirs = ", ".join(scene.bands), ", ".join(bands)
    return BadInput(scene.path, f"has the bands {ours}, but {owner} has {theirs}", remedy)


def _by_fold(scene: Scene) -> dict[str, str]:
    return {name.casefold(): name for name in scene.bands}


def _really_named(bands: tuple[str, ...]) -> bool:
    return not all(re.fullmatch(r"band\d+", name) for name in bands)
