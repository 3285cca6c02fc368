"""Files and folders that appear whole or not at all, and what can be wrong with writing them, in words."""

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from geo_io.errors import BadInput, RunFailed

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FULL_BYTES = 2**20


@contextlib.contextmanager
def whole(path: Path, suffix: str = "") -> Iterator[Path]:
    """A `.partial` path, `suffix` at its end, that is flushed and becomes `path`; or vanishes.

    Makes the folder. Raises what `writing` does.
    """
    partial = path.with_name(f"{path.name}.partial{suffix}")
    try:
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.unlink(missing_ok=True)
            yield partial
            publish(partial, path)
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A new `.partial` folder whose files are flushed and that becomes `folder`; or vanishes.

    `folder` may be there and empty. Raises what `writing` does.
    """
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        with writing(folder):
            partial.mkdir(parents=True)
            yield partial
            for path in partial.rglob("*"):
                if path.is_file():
                    _flush(path)
            if folder.exists():
                folder.rmdir()
            partial.replace(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextlib.contextmanager
def whole_raster(path: Path) -> Iterator[Path]:
    """As `whole`; GDAL's side-car goes with the raster, and that of an older one goes away."""
    with whole(path) as partial:
        made, old = (raster.with_name(raster.name + ".aux.xml") for raster in (partial, path))
        try:
            yield partial
            if made.exists():
                publish(made, old)
            else:
                old.unlink(missing_ok=True)
        finally:
            with contextlib.suppress(OSError):
                made.unlink(missing_ok=True)


def publish(partial: Path, path: Path) -> None:
    """Give a finished file its name once its bytes are on disk."""
    _flush(partial)
    partial.replace(path)


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns what keeps `path` from being written into RunFailed for a full disk, else BadInput."""
    try:
        yield
    except (BadInput, RunFailed):
        raise
    except Exception as fault:
        said = " ".join((getattr(fault, "strerror", None) or str(fault)).split())[:200]
        if getattr(fault, "errno", None) in _FULL or os.strerror(errno.ENOSPC) in said or _is_full(path):
            raise RunFailed(f"{path}: could not be written ({said}); free some disk space") from fault
        if not isinstance(fault, OSError):
            raise
        if isinstance(fault, FileExistsError | NotADirectoryError):
            said = "a file is where a folder should be"
        remedy = "choose another folder, mend its permissions or close what has it open"
        raise BadInput(path, f"cannot be written ({said})", remedy) from fault


def _is_full(path: Path) -> bool:
    """GDAL and torch do not hand on why the system refused to write."""
    try:
        usage = shutil.disk_usage(path.parent)
        return usage.free < _FULL_BYTES <= usage.total  # /proc and its like hold nothing
    except OSError:
        return False


def require_space(folder: Path, needed_bytes: int) -> None:
    """Raises RunFailed, with both figures, where `folder` has less than `needed_bytes` free."""
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        figures = f"has {free / 2**20:.0f} MB free, and {needed_bytes / 2**20:.0f} MB are needed"
        raise RunFailed(f"{folder}: {figures}; free some disk space or choose another folder")
