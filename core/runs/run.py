"""A run is a folder. The engine writes it; the command line and the window read it.

job.yaml        the resolved job
record.json     run id, versions, input fingerprints, device, threads
events.jsonl    what happened (core.journal)
checkpoints/    the state to resume from
phases/NAME/    what a finished phase leaves, weights above all
maps/           class and confidence rasters
verdict.json    which model made the maps, and why
scores.json     scores of the maps, where there are check labels
preview/        what the model in training makes of the window asked for, the newest two
control/        requests to the worker: pause, resume, stop, checkpoint, preview
status.json     while it is alive: who is in charge of it, and its place in the queue (core.runs.charge)
exit.json       how it ended, and why
log.txt         what its processes printed, when it ran in the background
"""

import hashlib
import importlib.metadata
import json
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

from filelock import FileLock, Timeout
from pydantic import Field

from core.errors import BadInput
from core.files import read_json, write_json, write_text
from core.job import Job, dump_job, load_job
from core.options import Options
from core.runs.charge import PROBED_S, WORKER, taken
from geo_io.fingerprint import changed, fingerprint
from geo_io.grid import Box

Request = Literal["pause", "resume", "stop", "checkpoint"]
PACE: Mapping[str, Any] = {
    "sampling": {"loader_threads"},
    "schedule": {"evaluate_every", "checkpoint_every"},
}
"""Parts of a job that change when its work is done, and nothing in a network."""
NOT_IN_THE_RESULT: Mapping[str, Any] = {**PACE, "candidate": True}
"""Parts of a job that change nothing in its maps."""
NOWHERE = Box(0, 0, 0, 0)
LIBRARIES = (
    "isthmus",
    "torch",
    "numpy",
    "rasterio",
    "timm",
    "segmentation-models-pytorch",
    "lightning-fabric",
)


@dataclass(frozen=True)
class Run:
    """A run's folder and its job."""

    folder: Path
    job: Job
    id: str

    @property
    def checkpoints(self) -> Path:
        return self.folder / "checkpoints"

    @property
    def maps(self) -> Path:
        return self.folder / "maps"

    def phase(self, name: str) -> Path:
        return self.folder / "phases" / name

    @property
    def done(self) -> bool:
        """Whether the run ended with everything made."""
        exit_file = self.folder / "exit.json"
        return exit_file.exists() and read_json(exit_file)["how"] == "done"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder: one worker at a time. Raises BadInput where another one works in it."""
        lock = FileLock(self.folder / WORKER, timeout=PROBED_S)
        try:
            lock.acquire()
        except Timeout:
            raise taken(self.folder) from None
        try:
            yield
        finally:
            lock.release()


def create(job: Job, folder: Path) -> Run:
    """Make the folder of a new run. Raises BadInput where it is not empty, or an input is missing."""
    if folder.exists() and not folder.is_dir():
        raise BadInput(folder, "is a file", "name a folder with --to")
    if folder.exists() and any(folder.iterdir()):
        raise BadInput(folder, "already exists and is not empty", "choose another --to, or delete it")
    inputs = input_fingerprints(job)
    record = {
        "run": run_id(job, inputs),
        "inputs": inputs,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "versions": {name: version_of(name) for name in LIBRARIES},
    }
    write_json(folder / "record.json", record)
    write_text(folder / "job.yaml", dump_job(job))
    return open_run(folder)


def open_run(folder: Path) -> Run:
    """The run in a folder. Raises BadInput where there is none."""
    if not (folder / "job.yaml").exists():
        raise BadInput(folder, "is not the folder of a run", "name one that `isthmus run` made")
    return Run(folder, load_job(folder / "job.yaml"), read_json(folder / "record.json")["run"])


def input_fingerprints(job: Job) -> dict[str, dict[str, Any]]:
    """Fingerprints of every image, label and area file by path."""
    paths: list[Path] = []
    for region in (job.source, job.target):
        for scene in region.scenes:
            paths += [
                scene.path,
                *([scene.labels.path] if scene.labels else []),
                *([scene.area] if scene.area else []),
            ]
    return {str(path): fingerprint(path) for path in paths}


def recorded_inputs(run: Run) -> dict[str, Any]:
    """The fingerprints of a run's inputs by path, of when it was made."""
    found: dict[str, Any] = read_json(run.folder / "record.json")["inputs"]
    return found


def changed_inputs(run: Run) -> list[str]:
    """The inputs that are not what they were when the run was made, they or what is read with them."""
    return [path for path, was in recorded_inputs(run).items() if changed(was, fingerprint(Path(path)))]


def run_id(job: Job, inputs: dict[str, dict[str, Any]]) -> str:
    """Twelve hex digits of what decides the result: the job, with inputs by content instead of by path."""

    def by_content(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: by_content(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [by_content(inner) for inner in value]
        if isinstance(value, str) and value in inputs:
            return inputs[value]["content"] + inputs[value].get("beside", "")
        return value

    content = by_content(job.model_dump(mode="json", exclude=NOT_IN_THE_RESULT))
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


def ask(folder: Path, request: Request) -> None:
    """Leave a request for the run's worker, which journals `Asked` within a second."""
    if request not in get_args(Request):
        raise BadInput(request, "is no request", f"ask for {', '.join(get_args(Request))}")
    open_run(folder)
    control = folder / "control"
    control.mkdir(exist_ok=True)
    (control / request).touch()


def take_requests(folder: Path) -> list[Request]:
    """The requests left since the last call, oldest first; they are gone from the folder after it."""
    control = folder / "control"
    found = [(control / name) for name in get_args(Request) if (control / name).exists()]
    found.sort(key=lambda path: path.stat().st_mtime_ns)
    return [cast(Request, path.name) for path in found if _taken(path)]


class View(Options):
    """The window to preview while a run trains: of which target scene of the job, in its own pixels."""

    scene: int | None = Field(None, description="Place among the job's target scenes; null: no preview")
    box: Box = NOWHERE
    every_steps: int = Field(50, ge=1, description="Optimisation steps between two previews")


def ask_preview(folder: Path, scene: int | Path | None, box: Box = NOWHERE, every_steps: int = 50) -> None:
    """Have the run's worker predict `box` of a target scene at once, and again every some steps.

    `scene` is the scene's place in the job or its path, `box` in its own pixels; None ends the
    previews. Ask anew as often as the view changes. Raises BadInput for a scene the run does not map.
    """
    paths = [each.path for each in open_run(folder).job.target.scenes]
    if isinstance(scene, Path):
        files = [path.resolve() for path in paths]
        if scene.resolve() not in files:
            raise BadInput(scene, "is no target scene of this run", f"choose one of {len(paths)} it has")
        scene = files.index(scene.resolve())
    if scene is not None and not 0 <= scene < len(paths):
        raise BadInput(f"scene {scene}", "is not in this run", f"its target has {len(paths)}, from 0 on")
    view = View(scene=scene, box=box, every_steps=every_steps)
    write_json(folder / "control" / "preview", view.model_dump())


def take_view(folder: Path) -> View | None:
    """The view asked for since the last call, if any; the request is gone from the folder after it."""
    asked = folder / "control" / "preview"
    taken = asked.with_name("preview.taken")
    with suppress(OSError, ValueError):  # nothing asked; or, on Windows, whoever asks still holds the file
        asked.replace(taken)
        return View.model_validate_json(taken.read_bytes())
    return None


def _taken(path: Path) -> bool:
    """Windows refuses while whoever asks still holds the file: the next look takes it."""
    with suppress(PermissionError):
        path.unlink()
        return True
    return False


def write_exit(run: Run, how: str, text: str = "", **facts: object) -> None:
    """Say how a run ended: done, stopped, failed; or died, when it is its supervisor that says so."""
    write_json(run.folder / "exit.json", {"how": how, "text": text, "pid": os.getpid(), **facts})


def version_of(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
