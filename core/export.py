"""Handing over the maps of a run: copies that appear whole or not at all, each with its side-car."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from core.errors import BadInput
from core.events import Progressed
from core.map_files import Part, Which, map_path, mapped_stems
from core.run import open_run
from geo_io.whole_file import require_space, whole, writing

CHUNK_BYTES = 8 * 2**20


class Copy(NamedTuple):
    """A file of the run, and where its copy goes."""

    made: Path
    to: Path


def export(
    folder: Path,
    to: Path,
    which: Which = "chosen",
    scenes: Sequence[str] = (),
    parts: Sequence[Part] = ("class", "confidence"),
) -> Iterator[Progressed]:
    """Copy the run's maps of `scenes` (by map name; default: all) to the folder `to`; yields bytes done.

    Closing the iterator leaves no half-written file: what was finished stays. Raises BadInput where a
    map is not there or `to` cannot be written, RunFailed where the disk is full.
    """
    copies = planned(folder, to, which, scenes, parts)
    sizes = [copy.made.stat().st_size for copy in copies]
    with writing(to):
        to.mkdir(parents=True, exist_ok=True)
    require_space(to, sum(sizes))
    before = 0
    for copy, size in zip(copies, sizes, strict=True):
        if not _sidecar(copy.made).exists():  # what an earlier map left there would misplace this one
            _sidecar(copy.to).unlink(missing_ok=True)
        for done in _copied(copy):
            yield Progressed(what=f"export {copy.to.name}", done=before + done, total=sum(sizes))
        before += size


def parts_made(folder: Path, which: Which) -> list[Part]:
    """The parts of that model's maps that the run has, `class` always among them."""
    names = mapped_stems(open_run(folder).job)
    confident = all(map_path(folder, which, stem, "confidence").exists() for stem in names)
    return ["class", "confidence"] if confident else ["class"]


def planned(folder: Path, to: Path, which: Which, scenes: Sequence[str], parts: Sequence[Part]) -> list[Copy]:
    """What `export` copies, side-cars before their maps. Raises BadInput where a map is not there."""
    names = mapped_stems(open_run(folder).job)
    for stem in scenes:
        if stem not in names:
            raise BadInput(f"scene {stem}", "is not mapped by the run", f"it has: {', '.join(names)}")
    copies = []
    for stem in scenes or names:
        for part in parts:
            made = map_path(folder, which, stem, part)
            if not made.exists():
                raise BadInput(made, "is not there", "let the run end, or leave this part out")
            copies += [Copy(path, to / path.name) for path in (_sidecar(made), made) if path.exists()]
    if to.resolve() in {copy.made.parent.resolve() for copy in copies}:
        raise BadInput(to, "is where the run keeps its maps", "choose another folder")
    return copies


def _sidecar(path: Path) -> Path:
    return path.with_name(path.name + ".aux.xml")


def _copied(copy: Copy) -> Iterator[int]:
    """Copy one file; yields how many of its bytes are written, at the end all of them."""
    done = 0
    with whole(copy.to) as partial, copy.made.open("rb") as source, partial.open("wb") as target:
        while chunk := source.read(CHUNK_BYTES):
            target.write(chunk)
            done += len(chunk)
            yield done
