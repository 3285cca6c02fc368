"""Telling whether a file is still the one that was used, without reading 50 GB."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from geo_io.errors import BadInput
from geo_io.vector_facts import VECTOR_SUFFIXES

BLOCKS, BESIDE_BLOCKS, BLOCK_BYTES = 64, 8, 4096
SHAPEFILE_PARTS = (".dbf", ".shx", ".prj", ".cpg")
OVERVIEWS = (".ovr", ".rrd")


def fingerprint(path: Path, whole: bool = False) -> dict[str, Any]:
    """Size in bytes, modification time, and a hash of the header and 64 blocks (`whole`: of every byte).

    `content` depends on size and bytes alone, so that a copy has the same; `beside` likewise on the files
    that are read with it, empty where there are none. Raises BadInput for a file that is missing or
    unreadable.
    """
    try:
        stat = path.stat()
        content = _digest(path, BLOCKS, whole)
        beside = _beside(path)
    except FileNotFoundError:
        raise BadInput(path, "does not exist", "check the path in the job") from None
    except OSError as fault:
        raise BadInput(path, f"cannot be read ({fault.strerror})", "check its permissions") from None
    return {"bytes": stat.st_size, "mtime": int(stat.st_mtime), "content": content, "beside": beside}


def content_of(path: Path) -> str:
    """What tells a file, with what is read with it, from others. Raises what `fingerprint` does."""
    found = fingerprint(path)
    return str(found["content"] + found["beside"])


def changed(was: dict[str, Any], now: dict[str, Any]) -> bool:
    """Whether the second fingerprint is another file's. One that was taken before `beside` was has none."""
    return bool(now["content"] != was["content"] or now["beside"] != was.get("beside", now["beside"]))


def last_change_ns(paths: Iterable[Path]) -> int:
    """When the files at `paths`, or any that is read with one of them, was written last."""
    return max(file.stat().st_mtime_ns for path in paths for file in (path, *read_with(path)))


def read_with(path: Path) -> list[Path]:
    """The files that are read with the one at `path`: side-cars, masks, the sources of a VRT.

    Not overviews: they are of the same pixels, and a GIS makes them at a click.
    """
    if path.suffix.lower() == ".shp":
        return [part for part in map(path.with_suffix, SHAPEFILE_PARTS) if part.is_file()]
    if path.suffix.lower() in VECTOR_SUFFIXES:
        return []
    found, coming = {path: None}, [path]
    while coming:
        for file in _listed(coming.pop()):
            if file not in found and file.suffix.lower() not in OVERVIEWS and file.is_file():
                found[file] = None
                if file.suffix.lower() == ".vrt":
                    coming.append(file)
    return list(found)[1:]


def _listed(path: Path) -> Sequence[Path]:
    from rasterio.errors import RasterioError  # here, because it takes long to load

    from geo_io.blocks import open_dataset

    try:
        with open_dataset(path) as dataset:
            return [Path(name) for name in dataset.files]
    except RasterioError:
        return []


def _beside(path: Path) -> str:
    """A hash of what is read with a file, by name; of each a few blocks, as a VRT may have thousands."""
    parts = sorted((file.name, part) for file in read_with(path) if (part := _part(file)))
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32] if parts else ""


def _part(file: Path) -> str:
    return _pam(file) if file.name.endswith(".aux.xml") else _digest(file, BESIDE_BLOCKS)


def _pam(path: Path) -> str:
    """What GDAL's side-car says, but for the statistics that looking at an image in a GIS adds to it."""
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError:
        return _digest(path, BLOCKS)
    _strip(root)
    return "" if not len(root) else hashlib.sha256(ElementTree.tostring(root)).hexdigest()[:32]


def _strip(node: ElementTree.Element) -> None:
    for child in list(node):
        _strip(child)
        emptied = child.tag in ("Metadata", "PAMRasterBand") and not len(child)
        if child.tag == "Histograms" or emptied or child.get("key", "").startswith("STATISTICS_"):
            node.remove(child)
        child.tail = None
    if len(node):
        node.text = None


def _digest(path: Path, blocks: int, whole: bool = False) -> str:
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        for offset in _offsets(size, blocks, whole):
            file.seek(offset)
            digest.update(file.read(BLOCK_BYTES))
    return digest.hexdigest()[:32]


def _offsets(size: int, blocks: int, whole: bool) -> list[int]:
    if whole or size <= blocks * BLOCK_BYTES:
        return list(range(0, size, BLOCK_BYTES))
    return [round(i * (size - BLOCK_BYTES) / (blocks - 1)) for i in range(blocks)]
