"""The trainings of a run in order: the source-only candidate, then the method; each done once."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric

from core import checkpoint
from core.bench import Bench
from core.checkpoint import Checkpoint
from core.devices import autocast_type
from core.errors import BadInput
from core.events import AnyEvent, Noted
from core.execution.training import Training
from core.job import Job
from core.networks.segmentor import build_segmentor
from core.prepare import Prepared
from core.registry import Chosen, choose
from core.runs.control import Control
from core.runs.run import PACE, Run, open_run, recorded_inputs
from core.variants import differences
from geo_io.fingerprint import changed
from geo_io.whole_file import whole_folder

SOURCE_ONLY, ADAPTED = "source-only", "adapted"
DECIDES_NOTHING: Mapping[str, Any] = {
    **dict.fromkeys(("name", "method", "candidate", "predict", "expected_shares"), True),
    **PACE,
    "target": {"scenes": {"__all__": {"map", "labels"}}},
}
"""Parts of a job that leave its source-only model as it is."""


def stage_order(job: Job) -> list[tuple[str, Chosen]]:
    """The trainings of a job by stage: source only, and then its method where that adapts.

    Source-only ends where the learning rate does: a method of several phases may give each its own schedule.
    """
    method = choose(job, job.method.name, job.method.options)
    schedule = job.schedule
    learning = schedule.model_copy(update={"steps": min(schedule.steps, schedule.horizon or schedule.steps)})
    source_only = choose(job.model_copy(update={"schedule": learning}), "source_only", {})
    adapting = method.name != source_only.name
    return [(SOURCE_ONLY, source_only), *([(ADAPTED, method)] if adapting else [])]


def phases_of(order: list[tuple[str, Chosen]]) -> list[tuple[str, int]]:
    """(name, steps) of everything to train, the shared warm start counted once."""
    listed = []
    for stage, method in order:
        for phase in method.phases:
            again = stage == ADAPTED and phase.name == "source"
            listed += [] if again else [(phase.name, phase.steps)]
    return listed


@dataclass
class Stages:
    """`events()` trains what is not trained yet; `models` then holds a bench for each finished model."""

    run: Run
    fabric: Fabric
    control: Control
    resume: Checkpoint | None
    number: int
    models: dict[str, Bench] = field(default_factory=dict)

    def __post_init__(self) -> None:
        job = self.run.job
        self.order = stage_order(job)
        steps, first = self.order[0][1].phases[0].steps, self.order[-1][1].phases[0]
        shares = len(self.order) > 1 and first.name == "source" and first.horizon == job.schedule.steps
        self.snapshots = (first.steps if shares else steps // 2, steps)

    @property
    def phases(self) -> list[tuple[str, int]]:
        """(name, steps) of everything to train, the shared warm start counted once."""
        return phases_of(self.order)

    def events(self, data: Prepared) -> Iterator[AnyEvent]:
        """Train. Raises Stopped, the state saved, when asked to stop."""
        for stage, method in self.order:
            if not checkpoint.weights_path(self.run.phase(stage)).exists():
                yield from self._train(stage, method, data)
            self.models[stage] = bench = self._bench(stage, method, data, pretrained=False)
            checkpoint.load_weights(bench.segmentor, checkpoint.weights_path(self.run.phase(stage)))

    def _train(self, stage: str, method: Chosen, data: Prepared) -> Iterator[AnyEvent]:
        resume = (
            self.resume if self.resume and self.resume.stage == stage else self._warm_start(stage, method)
        )
        bench = self._bench(stage, method, data, resume, pretrained=resume is None)
        if not resume:
            yield Noted(text=bench.weights_report)
        training = Training(self.run, stage, method, bench, self.control, self.number, self.snapshots)
        yield from training.events()
        self.number = training.number

    def _bench(
        self,
        stage: str,
        method: Chosen,
        data: Prepared,
        resume: Checkpoint | None = None,
        *,
        pretrained: bool,
    ) -> Bench:
        """A fresh bench; without pretrained weights where all weights are about to be loaded anyway."""
        job, classes = self.run.job, len(self.run.job.legend.classes)
        network = job.network if pretrained else job.network.without_weights()
        segmentor, report = build_segmentor(network, data.bands, classes, seed=job.seed)
        segmentor.precision = autocast_type(job.schedule, self.fabric.device)
        return Bench(
            job,
            self.fabric,
            segmentor,
            data.domains,
            method.phases,
            "; ".join((report.text, *report.notes)),
            resume,
            folder=self.run.phase(stage),
        )

    def _warm_start(self, stage: str, method: Chosen) -> Checkpoint | None:
        """The source-only training's state at the end of the steps that this method begins with, too."""
        if stage != ADAPTED or method.phases[0].name != "source":
            return None
        folder = self.run.phase(SOURCE_ONLY) / "snapshot"
        return checkpoint.load(checkpoint.at(folder, method.phases[0].steps))

    def adopt_candidate(self) -> None:
        """Take the source-only model of the run that the job names. Raises BadInput where it does not fit."""
        named, mine = self.run.job.candidate, self.run.phase(SOURCE_ONLY)
        if named is None or mine.exists():
            return
        other = open_run(named)
        if not checkpoint.weights_path(other.phase(SOURCE_ONLY)).exists():
            raise BadInput(named, "has no finished source-only model", "let that run end first")
        found = differences(other.job, self.run.job, but=DECIDES_NOTHING)
        if parts := dict.fromkeys(each.key.split(".")[0] for each in found):
            raise BadInput(
                named, f"is a run of another job ({', '.join(parts)} differ)", "leave `candidate` out"
            )
        if others := _of_other_content(self.run, other):
            problem = f"learnt before {', '.join(others)} changed"
            raise BadInput(named, problem, "leave `candidate` out, or run that job anew")
        with whole_folder(mine) as partial:
            shutil.copytree(other.phase(SOURCE_ONLY), partial, dirs_exist_ok=True)


def _of_other_content(run: Run, other: Run) -> list[str]:
    """Inputs of a run, by name, that were something else when the other was made; but for check labels."""
    checks = {str(scene.labels.path) for scene in run.job.target.scenes if scene.labels}
    before = recorded_inputs(other)
    return [
        Path(path).name
        for path, now in recorded_inputs(run).items()
        if path not in checks and path in before and changed(before[path], now)
    ]
