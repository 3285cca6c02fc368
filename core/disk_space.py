"""Whether a run will fit on its disk, guessed before hours are spent; no torch."""

import math
import re
from pathlib import Path

from core.errors import BadInput
from core.job import Job, Network, SceneFiles
from core.map_files import layer_count
from core.run import Run
from geo_io.grid import Grid
from geo_io.scene import Scene
from geo_io.whole_file import require_space

MILLIONS = {
    r"resnet18|pvt_v2_b1|mit_b1|efficientnet.b[2-3]": 15,
    r"resnet(34|50)|resnext50|pvt_v2_b2|mit_b2|convnext_(nano|tiny)|swin_tiny|efficientnet.b[4-5]": 30,
    r"resnet101|resnext101|pvt_v2_b[34]|mit_b[34]|convnext_small|swin_small|efficientnet.b[6-7]": 65,
    r"resnet152|pvt_v2_b5|mit_b5|convnext_base|swin_base|vit_base": 95,
    r"mobilenet|pvt_v2_b0|mit_b0|efficientnet.b[01]|convnext_(atto|femto|pico)": 8,
}
"""Parameters of whole networks by encoder, rounded up; a large one is assumed for those not listed."""
UNKNOWN = 95
PER_PARAMETER_BYTES = {"adamw": 4 * (1 + 2 + 1), "sgd": 4 * (1 + 1 + 1)}
"""In a checkpoint: the weights, what the optimiser remembers, and a teacher's weights."""
CHECKPOINTS, SNAPSHOTS, MODELS = 3, 2, 2
"""The two newest and the one being written; the source-only training's; the weights of either model."""


def require_room(run: Run) -> None:
    """Raises RunFailed, with both figures, where what the run will still write does not fit on its disk."""
    require_space(run.folder, max(needed_bytes(run.job, run.checkpoints) - _written_bytes(run.folder), 0))


def needed_bytes(job: Job, checkpoints: Path | None = None) -> int:
    """About what a run writes from start to end; by its own `checkpoints` where it has some already."""
    state = max((path.stat().st_size for path in (checkpoints or Path()).glob("*.pt")), default=0)
    parameters = _millions(job.network) * 10**6
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


def _millions(network: Network) -> int:
    return next((size for names, size in MILLIONS.items() if re.search(names, network.encoder)), UNKNOWN)


def _written_bytes(folder: Path) -> int:
    kept = [*folder.glob("checkpoints/*.pt"), *folder.glob("phases/**/*"), *folder.glob("maps/**/*")]
    return sum(path.stat().st_size for path in kept if path.is_file())
