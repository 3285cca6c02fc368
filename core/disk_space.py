"""Whether a run will fit on its disk, guessed before hours are spent."""

import math
from pathlib import Path

from core.errors import BadInput
from core.job import Job, SceneFiles
from core.networks.segmentor import count_parameters
from core.runs.map_files import layer_count
from core.runs.run import Run
from geo_io.grid import Grid
from geo_io.scene import Scene
from geo_io.whole_file import require_space

PER_PARAMETER_BYTES = {"adamw": 4 * (1 + 2 + 1), "sgd": 4 * (1 + 1 + 1)}
"""In a checkpoint: the weights, what the optimiser remembers, and a teacher's weights."""
CHECKPOINTS, SNAPSHOTS, MODELS = 3, 2, 2
"""The two newest and the one being written; the source-only training's; the weights of either model."""


def require_room(run: Run) -> None:
    """Raises RunFailed, with both figures, where what the run will still write does not fit on its disk,
    and BadInput for a network that cannot be made."""
    require_space(run.folder, max(needed_bytes(run.job, run.checkpoints) - _written_bytes(run.folder), 0))


def needed_bytes(job: Job, checkpoints: Path | None = None) -> int:
    """About what a run writes from start to end; by its own `checkpoints` where it has some already.

    Raises BadInput for a network that cannot be made.
    """
    parameters = count_parameters(job.network, len(job.legend.classes))
    state = max((path.stat().st_size for path in (checkpoints or Path()).glob("*.pt")), default=0)
    state = state or parameters * PER_PARAMETER_BYTES[job.schedule.optimizer]
    maps = 2 if job.predict.models == "both" else 1
    count = maps * layer_count(job.predict, len(job.legend.classes))
    scenes = sum(_scene_bytes(scene, count) for scene in job.target.scenes if scene.map)
    return (CHECKPOINTS + SNAPSHOTS) * state + MODELS * 4 * parameters + scenes


def map_bytes(grid: Grid, layers: int) -> int:
    """The most that the maps of a scene can take, overviews included: as if nothing could be compressed."""
    return layers * math.ceil(grid.width * grid.height * 1.35) + layers * 2**19


def _scene_bytes(scene: SceneFiles, layers: int) -> int:
    """The maps, and while one is made the rows that wait to be written; 0 for a scene that cannot be read."""
    try:
        with Scene.open(scene.path) as opened:
            return map_bytes(opened.grid, layers) + 2 * opened.grid.width * opened.grid.height
    except BadInput:
        return 0  # the worker says what is wrong with it


def _written_bytes(folder: Path) -> int:
    kept = [*folder.glob("checkpoints/*.pt"), *folder.glob("phases/**/*"), *folder.glob("maps/**/*")]
    return sum(path.stat().st_size for path in kept if path.is_file())
