"""The rows of the accuracy tables: what each trains, on which job of a pair, by which recipe."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.job import Job, LabelFile, Method, MultiResolution, load_job
from core.registry import load
from core.sample.sample import draw_sample

HERE = Path(__file__).parent
JOBS, WORK = HERE / "jobs", HERE / "work"
SAMPLE = "sample"


@dataclass(frozen=True)
class Row:
    """`options`: beside the method's defaults. `network`: changes to the pair's; a row that has any trains a
    source-only model of its own. `fails`: made to fail, for the study of the verdict alone."""

    method: str
    options: dict[str, Any] = field(default_factory=dict)
    network: dict[str, Any] = field(default_factory=dict)
    trains_translator: bool = False
    fails: bool = False


NARROW = {"width": 16, "blocks": 2}
"""Generators a quarter as costly as the methods' own: a step takes seconds on a processor."""
ROWS = {
    "source_only": Row("source_only"),
    "adabn": Row("adabn"),
    "adaptsegnet": Row("adaptsegnet"),
    "advent": Row("advent"),
    "combined": Row("combined"),
    "combined-haze": Row("combined", {"target_means": True, "jitter": 0.5}),
    "fda": Row("fda"),
    "dacs": Row("dacs"),
    "uda_rs": Row("uda_rs"),
    "mic": Row("mic"),
    "daformer": Row("daformer"),
    "hrda": Row("daformer", network={"multi_resolution": MultiResolution()}),
    "fcan": Row("fcan", trains_translator=True),
    "dcan": Row("dcan", trains_translator=True),
    "cyclegan": Row("cyclegan", NARROW, trains_translator=True),
    "cycada": Row("cycada", NARROW, trains_translator=True),
    "bdl": Row("bdl", NARROW, trains_translator=True),
    "oracle": Row("source_only"),
    "collapsed by entropy": Row("advent", {"variant": "minent", "weight": 3.0}, fails=True),
    "overwhelmed by its adversary": Row("adaptsegnet", {"adversarial": 1.0}, fails=True),
    "taught by noise": Row(
        "combined", {"warm_share": 0.0, "confidence_cap": 0.01, "self_training": 3.0}, fails=True
    ),
    "wrongly normalised": Row("adabn", {"batches": 1}, fails=True),
}
UNADAPTED = ("source_only", "oracle")


def begins_alone(row: str) -> bool:
    """Whether it is a source-only model or trains one of its own, and takes over no other's."""
    return row in UNADAPTED or bool(ROWS[row].network)


def recipe_of(row: str) -> dict[str, Any]:
    """A row's recipe: its method's default options as they are today, and its changes to the network."""
    chosen = ROWS[row]
    options = load(chosen.method).Options(**chosen.options).model_dump(mode="json")
    network = {key: value.model_dump(mode="json") for key, value in chosen.network.items()}
    return options | ({"network": network} if network else {})


def is_recipe_of(row: str, recorded: dict[str, Any]) -> bool:
    """Whether a result is of a row's recipe of today. A later option's default is what was done before."""
    today, defaults = recipe_of(row), load(ROWS[row].method).Options().model_dump(mode="json")
    return recorded.keys() <= today.keys() and {**defaults, **recorded} == today


def job_of(path: Path, row: str, seed: int, candidate: Path) -> Job:
    """The pair's job as one row of the table: only the scored half is mapped."""
    job, chosen = load_job(path), ROWS[row]
    scenes = [s.model_copy(update={"map": s.labels is not None}) for s in job.target.scenes]
    changes: dict[str, Any] = {
        "seed": seed,
        "schedule": job.schedule.model_copy(update={"threads": 1, "precision": "32"}),
        "target": job.target.model_copy(update={"scenes": scenes}),
        "network": job.network.model_copy(update=chosen.network),
        "predict": job.predict.model_copy(update={"models": "method", "confidence": False}),
        "method": Method(name=chosen.method, options=chosen.options),
    }
    if not begins_alone(row):
        changes["candidate"] = candidate
    changed = job.model_copy(update=changes)
    return oracle(changed) if row == "oracle" else changed


def oracle(job: Job) -> Job:
    """Trained on the labels of the target's other half, which no other row ever opens."""
    if job.name == SAMPLE:
        other = load_job(sample(1)).target.scenes
        other = [s.model_copy(update={"labels": as_training(s.labels)}) for s in other]
    else:
        unscored = [s for s in job.target.scenes if s.labels is None]
        other = [s.model_copy(update={"labels": label_of(job, s.path)}) for s in unscored]
    source = job.target.model_copy(update={"name": f"{job.target.name}-labelled", "scenes": other})
    return job.model_copy(update={"source": source, "oracle": True})


def label_of(job: Job, image: Path) -> LabelFile:
    """The label file beside an image, used for training: the packs keep both under the same name."""
    like = next(s.labels for s in job.target.scenes if s.labels)
    return as_training(like).model_copy(update={"path": image.parents[1] / "labels" / image.name})


def as_training(labels: LabelFile | None) -> LabelFile:
    assert labels
    return labels.model_copy(update={"use": "train"})


def sample(seed: int) -> Path:
    """The job of the built-in sample, drawn where it is not there yet, on one thread like the others."""
    folder = WORK / f"{SAMPLE}-drawn-{seed}"
    if not folder.exists():
        draw_sample(folder, seed)
    return folder / "job.yaml"


def pair_of(path: Path) -> str:
    return load_job(path).name


def made(pair: str, row: str, seed: int) -> Path | None:
    """A finished run of the row; it lies under the name of the recipe as it was at its time."""
    wanted = Method(name=ROWS[row].method, options=ROWS[row].options)
    runs = (path.parent for path in (WORK / f"{pair}-s{seed}").glob(f"{row}-????????/verdict.json"))
    return next((run for run in runs if load_job(run / "job.yaml").method == wanted), None)
