"""Taking a run home: everything that a GIS, an archive and a reader need, in one folder.

The list of files with their checksums, `bundle.json`, is taken away first and written last: a folder that has
one is whole.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from core.delivery.catalogue import map_item
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
from core.map_files import OPTIONAL, Which, mapped_stems
from core.run import Run, open_run
from geo_io.whole_file import writing

MANIFEST = "bundle.json"
STEPS = 1000
"""Units of progress of one piece."""


class Piece(NamedTuple):
    """`work` makes the files of one piece; it yields the share done, and returns what it made."""

    what: str
    work: Callable[[], "Iterator[float | Path]"]


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
    files: list[Path] = []
    pieces = plan(order, parts, files)
    try:
        for number, piece in enumerate(pieces):
            for said in piece.work():
                if isinstance(said, Path):
                    files.append(said)
                else:
                    done = STEPS * number + round(STEPS * said)
                    yield Progressed(what=piece.what, done=done, total=STEPS * len(pieces))
    finally:
        shutil.rmtree(order.workshop, ignore_errors=True)
    write_json(to / MANIFEST, manifest(order, files))
    yield Progressed(what="export", done=STEPS * len(pieces), total=STEPS * len(pieces))


def plan(order: Order, parts: Sequence[Part], files: Sequence[Path]) -> list[Piece]:
    """The pieces in order: what describes the others comes after them, and reads `files`, made so far."""
    pieces = []
    for stem in order.stems:
        if order.cleaning.changes_raster and ("class" in parts or "polygons" in parts):
            pieces.append(Piece(f"cleaning of {stem}", partial(cleaned_raster, order, stem)))
        if "class" in parts:
            pieces.append(Piece(f"classes of {stem}", partial(class_raster, order, stem)))
        if "confidence" in parts:
            pieces.append(Piece(f"confidence of {stem}", partial(confidence_raster, order, stem)))
        if "probabilities" in parts:
            pieces.append(
                Piece(f"probabilities of {stem}", partial(share_raster, order, stem, "probabilities"))
            )
        if "polygons" in parts:
            pieces.append(Piece(f"polygons of {stem}", partial(class_polygons, order, stem)))
    if "report" in parts:
        pieces.append(Piece("report", partial(report, order)))
    if "model" in parts:
        from core.delivery.model import model_files  # brings torch along

        pieces.append(Piece("model", partial(model_files, order)))
    if "catalogue" in parts:
        pieces += [Piece(f"catalogue of {s}", partial(map_item, order, s, files)) for s in order.stems]
    return pieces


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
