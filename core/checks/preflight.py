"""A look at a job's files before hours of training: what would make the run meaningless, and what is odd."""

from collections.abc import Callable, Iterator

import numpy as np

from core.checks.findings import Finding, Histogram, PairReport, SceneReport, Verdict, gathered, in_words
from core.checks.label_census import look_at_labels, oddities
from core.errors import BadInput
from core.imagery.places import Place, open_pair, working_gsd_m
from core.job import Job, Network, Region
from core.networks.licences import restriction
from geo_io.band_stats import BandStats, distance, measure
from geo_io.blocks import open_raster
from geo_io.grid import Grid
from geo_io.legend import Legend
from geo_io.patch import Patch
from geo_io.scene import Scene

LEAST_PX = 32
"""Side of the smallest image that a network sees."""
LOOK_PX = 1024
"""Longest side of the decimated image by which nodata and borders are judged."""
MOST_INVALID, MOST_BORDER = 0.5, 0.1
MOST_RATIO, LARGE_PX, FEW_CROPS = 4.0, 16_384, 4.0

UNSCALE = "`gdal_translate -unscale -ot Float32`"

Findings = Iterator[Finding]


def check(job: Job) -> list[str]:
    """The warnings about a job, in words. Raises BadInput for the first fault."""
    verdict = inspect(job)
    verdict.raise_faults()
    return [finding.text for finding in verdict.warnings]


def inspect(job: Job) -> Verdict:
    """Look at every file of a job. Never raises for bad input: it is in the verdict's faults."""
    verdict = Verdict(job=job.name)
    verdict.warnings += _licence(job.network.encoder)
    verdict.warnings += _numbers_for_names(job.legend)
    verdict.warnings += _beginning(job.network)
    try:
        verdict.faults += _views(job)
        verdict.faults += _shared_files(job)
        source, target = open_pair(job)
        verdict.faults += [f for place in source + target for f in off_earth(place.scene)]
        if not verdict.faults:
            _look(job, source, target, verdict)
    except BadInput as fault:
        verdict.faults.append(Finding.of(fault))
    verdict.warnings = gathered(verdict.warnings)
    return verdict


def _licence(encoder: str) -> Findings:
    if licence := restriction(encoder):
        remedy = "see that your use is among what it allows, or take tu-pvt_v2_b2 or a CNN"
        yield Finding(where="network.encoder", what=f"{encoder} is under {licence}", remedy=remedy)


def _numbers_for_names(legend: Legend) -> Findings:
    if numbered := legend.numbered:
        said = ", ".join(f"value {value} is class {name!r}" for value, name in numbered.items())
        remedy = "list the `values` of each class if the labels count otherwise"
        yield Finding(where="legend", what=f"has numbers for names: {said}", remedy=remedy)


def _beginning(network: Network) -> Findings:
    if network.weights is None:
        what = "is null: the encoder starts from random numbers, which needs far more labels and steps"
        remedy = "leave it out for pretrained weights, unless the job is a trial such as the sample"
        yield Finding(where="network.weights", what=what, remedy=remedy)


def _views(job: Job) -> Findings:
    """At several resolutions each view is as large as an image must be."""
    if (options := job.network.multi_resolution) is None:
        return
    least = options.scale * LEAST_PX
    for where, side in (("sampling.crop_px", job.sampling.crop_px), ("predict.tile_px", job.predict.tile_px)):
        if side < least:
            what = f"leaves {side // options.scale} px to each view of network.multi_resolution"
            yield Finding(where=where, what=what, remedy=f"take at least {least}")


def _shared_files(job: Job) -> Findings:
    ours = {scene.path.resolve() for scene in job.source.scenes}
    for scene in job.target.scenes:
        if scene.path.resolve() in ours and not job.oracle:
            what = "is both a source and a target scene, so nothing is left to adapt to"
            yield Finding(
                where=str(scene.path), what=what, remedy="name another target, or write `oracle: true`"
            )


def off_earth(scene: Scene) -> Findings:
    """Coordinates that no place has: pixel sizes in metres would mean nothing."""
    grid = scene.grid
    if grid.crs is not None and grid.crs.is_geographic:
        limit = 90 * _degrees(grid)
        latitudes = [y for _, y in grid.corners]
        if max(map(abs, latitudes)) > limit * 1.001:
            what = f"reaches latitude {max(latitudes, key=abs):.4g}: x and y seem to be swapped"
            yield Finding(
                where=str(scene.path), what=what, remedy="write x (longitude) first in its georeference"
            )
            return
    if not (np.isfinite(grid.gsd_m) and grid.gsd_m > 0):
        what = "has pixels without a size on the ground"
        yield Finding(where=str(scene.path), what=what, remedy="mend its georeference (`gdalinfo` shows it)")


def _degrees(grid: Grid) -> float:
    """One degree in the unit of a geographic CRS."""
    assert grid.crs is not None
    return float(np.deg2rad(1) / grid.crs.axis_info[0].unit_conversion_factor)


def _look(job: Job, source: list[Place], target: list[Place], verdict: Verdict) -> None:
    gsd_m = working_gsd_m(job, source, target)
    for region, places in ((job.source, source), (job.target, target)):
        reports = [_look_at(region, place, verdict) for place in places]
        verdict.scenes += reports
        verdict.warnings += _scaling_findings(region, places)
        verdict.warnings += _size_findings(job, region, places, reports, gsd_m, verdict.faults.append)
    verdict.faults += _check_labels(target)
    look_at_labels(job, source, verdict, gsd_m)
    if not verdict.faults:
        verdict.pair = _pair(source, target, gsd_m)
        verdict.warnings += _pair_findings(source, target, verdict.pair)


def _look_at(region: Region, place: Place, verdict: Verdict) -> SceneReport:
    scene = place.scene
    verdict.warnings += oddities(place.area) if place.area else ()
    seen = scene.decimated(LOOK_PX)
    inside = place.area.read(seen.grid) if place.area else np.ones(seen.valid.shape, bool)
    share = float(seen.valid[inside].mean()) if inside.any() else 0.0
    if share == 0:
        measure([(scene, place.area)])  # which looks more closely, and raises where there is nothing
    verdict.warnings += _scene_findings(scene, seen, share)
    return SceneReport(
        path=str(scene.path),
        region=region.name,
        crs=scene.grid.crs.name if scene.grid.crs else None,
        gsd_m=scene.grid.gsd_m,
        width_px=scene.grid.width,
        height_px=scene.grid.height,
        bands=list(scene.bands),
        dtype=str(scene.dtype),
        nodata_source=scene.nodata_source,
        valid_share=share,
    )


def _scene_findings(scene: Scene, seen: Patch, valid_share: float) -> Findings:
    where = str(scene.path)
    yield from oddities(scene)
    if valid_share < 1 - MOST_INVALID:
        what = f"is {1 - valid_share:.0%} nodata"
        yield Finding(
            where=where, what=what, remedy="check `nodata` and `invalid_when`, or draw an area of interest"
        )
    if (found := _constant_border(seen)) is not None:
        value, share = found
        what = f"{share:.0%} of its border holds {value:g} in every band and counts as data"
        yield Finding(where=where, what=what, remedy=f"if that means no data, write `nodata: {value:g}`")
    if max(scene.grid.width, scene.grid.height) > LARGE_PX and not _has_overviews(scene):
        what = "is large and has no overviews, so looking at it is slow"
        yield Finding(where=where, what=what, remedy="add them with `gdaladdo -r average`")


def _constant_border(seen: Patch) -> tuple[float, float] | None:
    """The extreme value that much of the image's outermost pixels hold in every band, and their share."""
    ring = np.ones(seen.valid.shape, bool)
    ring[1:-1, 1:-1] = False
    pixels, valid = seen.values[:, ring], seen.valid[ring]
    extremes = [0, np.iinfo(str(pixels.dtype)).max] if pixels.dtype.kind in "ui" else [0]
    for value in extremes:
        share = float(((pixels == value).all(axis=0) & valid).mean())
        if share > MOST_BORDER:
            return float(value), share
    return None


def _has_overviews(scene: Scene) -> bool:
    with open_raster(scene.path) as dataset:
        return bool(dataset.overviews(scene.indexes[0]))


def _scaling_findings(region: Region, places: list[Place]) -> Findings:
    """One statistic is taken of all scenes of a region, as their pixels are stored."""
    first, *others = (place.scene for place in places)
    for scene in others:
        if scene.scaling != first.scaling:
            what = f"says {in_figures(scene.scaling)}, but {first.path} {in_figures(first.scaling)}"
            remedy = f"bring the scenes of {region.name} to one unit: {UNSCALE}"
            yield Finding(where=str(scene.path), what=f"{what}: that is not applied", remedy=remedy)
            return


def in_figures(scaling: tuple[tuple[float, float], ...]) -> str:
    """The scale and offset of the bands, those that are alike once."""
    kinds = dict.fromkeys(f"{scale:g} and {offset:g}" for scale, offset in scaling)
    return f"scale and offset {', '.join(kinds)}"


def _size_findings(
    job: Job,
    region: Region,
    places: list[Place],
    reports: list[SceneReport],
    gsd_m: float,
    fault: Callable[[Finding], None],
) -> Findings:
    """A region must hold at least one crop, and better a few."""
    crop_px, least = job.sampling.crop_px, job.sampling.min_valid
    crops, best = 0.0, 0.0
    for place, report in zip(places, reports, strict=True):
        grid = place.scene.grid.at_gsd(gsd_m)
        crops += report.valid_share * grid.width * grid.height / crop_px**2
        best = max(best, min(grid.width, crop_px / 2) * min(grid.height, crop_px / 2) / (crop_px / 2) ** 2)
    where = f"region {region.name}"
    remedy = "lower sampling.crop_px, or set a finer sampling.working_gsd_m"
    if best < least:
        what = f"is too small for crops of {crop_px} pixels of {gsd_m:.3g} m with {least:.0%} of them valid"
        fault(Finding(where=where, what=what, remedy=remedy))
    elif crops < FEW_CROPS:
        yield Finding(where=where, what=f"holds only {crops:.1f} crops of {crop_px} pixels", remedy=remedy)


def _check_labels(target: list[Place]) -> Findings:
    """Check labels are opened, not counted: a run must not end in hours with a map that cannot be scored."""
    for place in target:
        if place.check:
            try:
                place.check.open().close()
            except BadInput as fault:
                yield Finding.of(fault)


def _pair(source: list[Place], target: list[Place], gsd_m: float) -> PairReport:
    ours, theirs = (measure((p.scene, p.area) for p in places) for places in (source, target))
    a, b = source[0].scene.grid, target[0].scene.grid
    fine, coarse = sorted((a.gsd_m, b.gsd_m))
    return PairReport(
        working_gsd_m=gsd_m,
        gsd_ratio=coarse / fine,
        same_crs=a.crs == b.crs,
        bands=list(ours.names),
        distance=distance(ours, theirs),
        source=_histograms(ours),
        target=_histograms(theirs),
    )


def _histograms(stats: BandStats) -> list[Histogram]:
    bands = zip(stats.names, stats.low, stats.high, stats.histogram, strict=True)
    return [Histogram(band=n, low=low, high=high, counts=list(c)) for n, low, high, c in bands]


def _pair_findings(source: list[Place], target: list[Place], pair: PairReport) -> Findings:
    where = "source against target"
    if pair.gsd_ratio > MOST_RATIO:
        what = f"pixel sizes differ by a factor of {pair.gsd_ratio:.1f}"
        yield Finding(where=where, what=what, remedy="set sampling.working_gsd_m by hand, and expect less")
    large = [name for name, d in pair.distance.items() if in_words(d) == "large"]
    if large:
        what = f"pixel values are far apart in {', '.join(large)}"
        yield Finding(where=where, what=what, remedy="check that they are the same bands in the same order")
    types = {str(place.scene.dtype) for places in (source, target) for place in places}
    if len(types) > 1:
        what = f"pixel types differ ({', '.join(sorted(types))})"
        yield Finding(
            where=where,
            what=what,
            remedy="no harm between the two; the scenes of one region are standardised together, and must "
            "be in one unit",
        )
