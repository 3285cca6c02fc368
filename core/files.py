"""Files that appear whole or not at all."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.errors import BadInput, RunFailed


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Call `write` with a `.partial` path, flush it to disk and rename it to `path`.

    Raises BadInput where the folder cannot be written, RunFailed when the disk is full.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(partial)
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except PermissionError:
        raise BadInput(
            path.parent, "cannot be written", "choose another folder or mend its permissions"
        ) from None
    except OSError as fault:
        raise RunFailed(
            f"{path}: could not be written ({fault.strerror or fault}); free some disk space"
        ) from None
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    write_whole(path, lambda partial: partial.write_text(text, encoding="utf-8"))


def write_json(path: Path, content: Any) -> None:
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """The content of a JSON file. Raises BadInput where it is missing or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInput(path, "does not exist", "is this the folder of a run?") from None
    except (OSError, ValueError) as fault:
        raise BadInput(
            path, f"cannot be read ({fault})", "the run's folder is damaged: run the job again"
        ) from None
