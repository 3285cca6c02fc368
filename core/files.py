"""Text and JSON files that appear whole or not at all; where files lie."""

import json
from pathlib import Path
from typing import Any

from core.errors import BadInput
from geo_io.whole_file import whole


def located(path: Path) -> Path:
    """The absolute path. A file that is a link stays one: what lies beside the link is the file's, and so is
    its name (DVC and git-annex keep what it leads to under a hash)."""
    path = path.expanduser()
    return path.parent.resolve() / path.name


def write_text(path: Path, text: str) -> None:
    with whole(path) as partial:
        partial.write_text(text, encoding="utf-8")


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
