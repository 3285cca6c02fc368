"""Images and their labels found in what was dropped or chosen. No Qt here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geo_io.vector_facts import VECTOR_SUFFIXES

RASTER_SUFFIXES = frozenset(
    (".tif", ".tiff", ".jp2", ".j2k", ".vrt", ".img", ".png", ".jpg", ".jpeg", ".bil", ".bsq", ".ntf")
)
IMAGE_FOLDERS = frozenset(("image", "images", "img", "imgs", "images_png", "rgb", "sat", "scenes"))
LABEL_FOLDERS = frozenset(("label", "labels", "masks", "mask", "masks_png", "gt", "annotations", "msk"))


@dataclass(frozen=True)
class Found:
    """An image, and its labels where a file of the same name lies in a folder of labels beside it."""

    image: Path
    labels: Path | None = None


def gather(paths: Sequence[Path]) -> list[Found]:
    """The images among files and in folders, in order, each once. Vector files are no images.

    Of a folder with `images` and `labels` inside, the former's rasters are images; of any other folder all
    its rasters are, or where it has none those of the folders in it that do not hold labels.
    """
    images = dict.fromkeys(image for path in paths for image in _images(path))
    return [Found(image, labels_of(image)) for image in images]


def as_scene(found: Found, place: str) -> dict[str, Any]:
    """The entry of a job file's `scenes`; labels of a target are for checking only."""
    scene: dict[str, Any] = {"path": str(found.image)}
    if found.labels:
        use = {"use": "check"} if place == "target" else {}
        scene["labels"] = {"path": str(found.labels), **use}
    return scene


def labels_of(image: Path) -> Path | None:
    """The file called like `image` in a folder of labels beside its own; None where there is none."""
    if image.parent.name.casefold() not in IMAGE_FOLDERS:
        return None
    for folder in _folders(image.parent.parent):
        if folder.name.casefold() in LABEL_FOLDERS:
            found = [p for p in _files(folder, RASTER_SUFFIXES | VECTOR_SUFFIXES) if p.stem == image.stem]
            if found:
                return found[0]
    return None


def _images(path: Path) -> Iterable[Path]:
    if not path.is_dir():
        return () if path.suffix.lower() in VECTOR_SUFFIXES else (path,)
    own = _files(path, RASTER_SUFFIXES)
    inner = _folders(path)
    of_images = [folder for folder in inner if folder.name.casefold() in IMAGE_FOLDERS]
    if own and not of_images:
        return own
    chosen = of_images or [folder for folder in inner if folder.name.casefold() not in LABEL_FOLDERS]
    return [image for folder in chosen for image in _images(folder)]


def _files(folder: Path, suffixes: frozenset[str]) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in suffixes and p.is_file())


def _folders(folder: Path) -> list[Path]:
    """Folders inside, hidden ones and links (which may lead round in circles) left out."""
    inside = folder.iterdir()
    return sorted(p for p in inside if p.is_dir() and not p.is_symlink() and not p.name.startswith("."))
