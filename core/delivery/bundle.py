"""Taking a run home: everything that a GIS, an archive and a reader need, in one folder.

The list of files with their checksums, `bundle.json`, is taken away first and written last: a folder that has
one is whole.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from core.delivery.catalogue import MANIFEST, map_item
from core.delivery.checksums import sha256
from core.delivery.cleaning import check_cleaning, cleaned_raster
from core.delivery.order import Order
from core.delivery.parts import PARTS, Cleaning, Part
from core.delivery.polygons import class_polygons
from core.delivery.rasters import class_raster, confidence_raster, share_raster
from core.delivery.report import report
from core.errors import BadInput
from core.events import Progressed
from core.files import write_json
from core.runs.map_files import OPTIONAL, mapped_stems
from core.runs.run import Run, open_run
from core.terms import Which
from geo_io.scene import Scene
from geo_io.whole_file import writing

NS_A_PIXEL = {
    "cleaning": 70,
    "class": 60,
    "confidence": 50,
    "probabilities": 150,
    "polygons": 110,
    "report": 20,
}
MODEL_US, REPORT_US, ITEM_US = 30_000_000, 2_000_000, 50_000
"""About how long the pieces take, so that the time left can be believed."""


class Piece(NamedTuple):
    """`work` makes the files of a piece in about `us` microseconds; it yields the share done, and them.

    `stem`: the scene whose map they are of, if of one.
    """

    what: str
    us: int
    work: Callable[[], "Iterator[float | Path]"]
    stem: str = ""


def deliver(
    folder: Path,
    to: Path,
    which: Which = "chosen",
    scenes: Sequence[str] = (),
    parts: Sequence[Part] = tuple(PARTS),
    cleaning: Cleaning | None = None,
) -> Iterator[Progressed]:
    """Write `parts` of the run's maps of `scenes` (by map name; default: all) to the folder `to`.

    Closing the iterator leaves no half-written file, and no list of files. Raises BadInput where a
    map is not there or `to` cannot be written, RunFailed where the disk is full.
    """
    run = open_run(folder)
    order = Order(run, which, chosen_stems(run, scenes), to, cleaning or Cleaning())
    check(order, parts)
    with writing(to):
        to.mkdir(parents=True, exist_ok=True)
        (to / MANIFEST).unlink(missing_ok=True)
    files: dict[str, list[Path]] = {stem: [] for stem in ("", *order.stems)}
    pieces, before = plan(order, parts, files), 0
    total = sum(piece.us for piece in pieces)
    try:
        for piece in pieces:
            for said in piece.work():
                if isinstance(said, Path):
                    files[piece.stem].append(said)
                else:
                    done = before + round(piece.us * said)
                    yield Progressed(what=piece.what, done=done, total=total, of_time=True)
            before += piece.us
    finally:
        shutil.rmtree(order.workshop, ignore_errors=True)
    write_json(to / MANIFEST, manifest(order, [path for made in files.values() for path in made]))
    yield Progressed(what="export", done=total, total=total, of_time=True)


def plan(order: Order, parts: Sequence[Part], files: Mapping[str, Sequence[Path]]) -> list[Piece]:
    """The pieces in order: what describes the others comes after them, and reads `files`, made so far, by
    scene."""
    makers: dict[str, Callable[[Order, str], Iterator[float | Path]]] = {
        "cleaning": cleaned_raster,
        "class": class_raster,
        "confidence": confidence_raster,
        "probabilities": partial(share_raster, part="probabilities"),
        "polygons": class_polygons,
    }
    cleans = order.cleaning.changes_raster and ("class" in parts or "polygons" in parts)
    wanted = [what for what in makers if what in parts or (what == "cleaning" and cleans)]
    pixels = {stem: _pixels(order.made(stem, "class")) for stem in order.stems}
    pieces = [
        Piece(
            f"{'classes' if what == 'class' else what} of {stem}",
            _us(what, pixels[stem]),
            partial(makers[what], order, stem),
            stem,
        )
        for stem in order.stems
        for what in wanted
    ]
    if "report" in parts:
        us = REPORT_US + _us("report", sum(pixels.values()))
        pieces.append(Piece("report", us, partial(report, order)))
    if "model" in parts:
        from core.delivery.model import model_files  # brings torch along

        pieces.append(Piece("model", MODEL_US, partial(model_files, order)))
    if "catalogue" in parts:
        for stem in order.stems:
            pieces.append(Piece(f"catalogue of {stem}", ITEM_US, partial(map_item, order, stem, files[stem])))
    return pieces


def _us(what: str, pixels: int) -> int:
    return 1 + NS_A_PIXEL[what] * pixels // 1000


def _pixels(path: Path) -> int:
    with Scene.open(path) as scene:
        return scene.grid.width * scene.grid.height


def chosen_stems(run: Run, scenes: Sequence[str]) -> list[str]:
    """The maps asked for, by name. Raises BadInput for one that the run does not make."""
    names = mapped_stems(run.job)
    for stem in scenes:
        if stem not in names:
            raise BadInput(f"scene {stem}", "is not mapped by the run", f"it has: {', '.join(names)}")
    return list(scenes) or names


def check(order: Order, parts: Sequence[Part]) -> None:
    """Raises BadInput where a map is not there, or the folder is the run's own."""
    check_cleaning(order)
    for stem in order.stems:
        made = [order.made(stem, "class")]
        made += [order.made(stem, part) for part in OPTIONAL if part in parts]
        for path in made:
            if not path.exists():
                raise BadInput(path, "is not there", "let the run end, or leave this part out")
        if order.to.resolve() == made[0].parent.resolve():
            raise BadInput(order.to, "is where the run keeps its maps", "choose another folder")


def manifest(order: Order, files: Sequence[Path]) -> dict[str, Any]:
    """The run, the model, and every file with its size and checksum."""
    return {
        "run": order.run.id,
        "model": order.model,
        "files": {
            path.relative_to(order.to).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256(path)}
            for path in sorted(files)
        },
    }
