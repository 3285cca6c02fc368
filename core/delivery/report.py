"""The report: one page, self-contained, that says what was mapped, how well as far as is known, and how to
repeat it."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.delivery.order import Order
from core.delivery.page import chart, figure, legend, page, table
from core.delivery.parts import REPORT
from core.files import read_json, write_text
from core.job import dump_job
from core.journal import read
from core.judging.comparison import (
    MODELS,
    Outcome,
    Row,
    headline,
    read_outcome,
    reliability,
    score_rows,
    share_rows,
    signal_rows,
)
from core.judging.evidence import evidence
from core.progress import Progress
from core.runs.map_files import map_path, stems
from core.terms import Which
from geo_io.bands import natural_colours
from geo_io.class_areas import class_areas
from geo_io.scene import Scene
from geo_io.thumbnail import class_picture, image_picture

AREAS = (
    "Counted from the maps' pixels on the ellipsoid. A map's errors bias such areas: for estimates with "
    "intervals, label points drawn by <code>isthmus sample-points</code>."
)
PICTURE_PX = 512
MOST_SCENES = 6
"""Scenes shown; the areas are of all."""


def report(order: Order) -> Iterator[float | Path]:
    """Write the report."""
    yield 0.0
    outcome = read_outcome(order.run.folder)
    before_after = [m for m in MODELS if all(m in outcome.models(stem) for stem in order.stems)]
    shown: list[Which] = list(before_after) or [order.which]
    rasters = {str(w): [map_path(order.run.folder, w, stem) for stem in order.stems] for w in shown}
    delivered = [order.classes(stem) for stem in order.stems]
    if order.cleaning.changes_raster and all(path.exists() for path in delivered):
        rasters["delivered"] = delivered
    areas = {what: np.zeros(len(outcome.names)) for what in rasters}
    for n, (what, paths) in enumerate(rasters.items()):
        for s, path in enumerate(paths):
            for found in class_areas(path, len(outcome.names)):
                yield 0.8 * (n + (s + found.counted) / len(paths)) / len(rasters)
            areas[what] += found.area_m2
    parts = [*_top(order, outcome), *_maps(order, shown), *_areas(outcome, areas), *_evidence(outcome)]
    parts += [*_accuracy(outcome), *_curves(order), *_provenance(order)]
    to = order.to / REPORT
    write_text(to, page(f"{outcome.job.name}: land cover of {outcome.job.target.name}", parts))
    yield to
    yield 1.0


def _top(order: Order, outcome: Outcome) -> Iterator[str]:
    job, verdict = outcome.job, outcome.verdict
    yield f"<h1>Land cover of {escape(job.target.name)}</h1>"
    yield f"<p><small>Run {escape(order.run.id)}, job {escape(job.name)}, by Isthmus</small></p>"
    yield f'<div class="verdict"><p><strong>{escape(headline(verdict))}.</strong></p>'
    reasons = "".join(f"<li>{escape(str(reason))}</li>" for reason in verdict.get("reasons", []))
    reasons += "".join(f"<li>{escape(sentence)}</li>" for sentence in evidence(verdict))
    yield f"<ul>{reasons}</ul>"
    made = f"The maps delivered are the {order.model} model's."
    yield f"<p>{made} No label of {escape(job.target.name)} was used to choose.</p></div>"


def _maps(order: Order, shown: Sequence[Which]) -> Iterator[str]:
    job = order.run.job
    yield "<h2>Maps</h2>"
    yield legend(job.legend.names, [c.color for c in job.legend.classes])
    colors = [c.rgb for c in job.legend.classes]
    for stem in order.stems[:MOST_SCENES]:
        scene_files = job.target.scenes[stems(job.target.scenes).index(stem)]
        yield f"<h3>{escape(stem)}</h3>"
        if scene_files.path.exists():
            with Scene.open(scene_files.path, None, job.target.band_names) as scene:
                patch = scene.decimated(PICTURE_PX)
                bands = [scene.bands.index(name) for name in natural_colours(scene.bands)]
                width_m = scene.grid.width * scene.grid.pixel_size_m[0]
            yield figure(image_picture(patch, bands), f"imagery; {_distance(width_m)} from left to right")
        for which in shown:
            with Scene.open(map_path(order.run.folder, which, stem)) as made:
                seen = made.decimated(PICTURE_PX)
            ids = np.where(seen.valid, seen.values[0], 255).astype(np.uint8)
            yield figure(class_picture(ids, colors), f"map by {order.model if which == 'chosen' else which}")
    if len(order.stems) > MOST_SCENES:
        yield f"<p><small>and {len(order.stems) - MOST_SCENES} more scenes.</small></p>"


def _areas(outcome: Outcome, areas: Mapping[str, NDArray[np.float64]]) -> Iterator[str]:
    yield "<h2>Class areas</h2>"
    heads = ["class", *(f"{what}, ha" for what in areas), *(f"{what}, %" for what in areas)]
    rows = [
        [
            name,
            *(f"{found[i] / 10_000:,.2f}" for found in areas.values()),
            *(f"{100 * found[i] / max(found.sum(), 1e-9):.1f}" for found in areas.values()),
        ]
        for i, name in enumerate(outcome.names)
    ]
    yield table(heads, rows)
    cleaned = " <em>delivered</em>: the map in this folder, cleaned." if "delivered" in areas else ""
    yield f"<p><small>{AREAS}{cleaned}</small></p>"


def _evidence(outcome: Outcome) -> Iterator[str]:
    signals = signal_rows(outcome.verdict)
    if signals:
        yield "<h2>Evidence without labels</h2>"
        yield table(["measure", "source-only", "adapted", "better"], [_cells(row) for row in signals])
        points = {
            name: [(100 * x, y) for x, y in found] for name, found in reliability(outcome.verdict).items()
        }
        if drawn := chart(points, "% confidence on the held-out source, beside the share that is right"):
            yield drawn
        shares = share_rows(outcome.verdict, outcome.names)
        yield table(["share of the target", "source-only", "adapted", ""], [_cells(row) for row in shares])


def _accuracy(outcome: Outcome) -> Iterator[str]:
    rows = score_rows(outcome.scores.get("source-only"), outcome.scores.get("adapted"), outcome.names)
    yield "<h2>Accuracy</h2>"
    if not rows:
        yield "<p>No check labels were given: how right the maps are is not known.</p>"
        return
    yield table(["against check labels", "source-only", "adapted", "better"], [_cells(row) for row in rows])


def _curves(order: Order) -> Iterator[str]:
    progress = Progress()
    for event in read(order.run.folder):
        progress.fold(event)
    yield "<h2>Training</h2>"
    for name, points in progress.curves.items():
        yield chart({name: points}, "steps")


def _provenance(order: Order) -> Iterator[str]:
    record = read_json(order.run.folder / "record.json")
    yield "<h2>To repeat it</h2>"
    yield f"<pre>isthmus run job.yaml    # the job below; seed {order.run.job.seed}</pre>"
    versions = [[name, str(version)] for name, version in record["versions"].items()]
    versions += [["python", record["python"]], ["platform", record["platform"]]]
    yield table(["software", "version"], versions)
    inputs = [
        [Path(path).name, f"{facts['bytes']:,}", facts["content"]] for path, facts in record["inputs"].items()
    ]
    yield table(["input", "bytes", "fingerprint"], inputs)
    yield f"<pre>{escape(dump_job(order.run.job))}</pre>"


def _cells(row: Row) -> list[str]:
    better = {None: "", True: "adapted", False: "source-only"}[row.helped]
    return [row.name, *("" if v is None else f"{v:.3f}" for v in (row.before, row.after)), better]


def _distance(metres: float) -> str:
    return f"{metres / 1000:.3g} km" if metres >= 1000 else f"{metres:.3g} m"
