"""Reverse validation: which model's map of the target teaches the classes better?

A fresh network learns from what a model says of the target, and from nothing else. It is then scored on the
labels of the source's held-out blocks, which neither saw: a map that is wrong teaches wrong classes, however
sure its model is (Zhong et al. 2010, "Cross validation framework to choose amongst models and datasets for
transfer learning"). Crops are labelled as they are drawn, so that it takes as long as its steps, however
large the target is; both networks begin alike and see the same crops.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.bench import SOURCE, TARGET, Bench
from core.checkpoint import weights_path
from core.devices import launch
from core.draws import rng
from core.errors import BadInput, Stopped
from core.events import AnyEvent, Ended, Evaluated, Phased, Progressed, Started, Stepped
from core.execution.stages import ADAPTED, SOURCE_ONLY, Stages
from core.files import read_json, write_json
from core.journal import Journal
from core.judging import verdict
from core.judging.evidence import evidence
from core.judging.metrics import Confusion
from core.judging.signals import CROPS, Signals, fixed_crops
from core.mapping.predictor import evaluating
from core.networks.outputs import Batch
from core.networks.segmentor import Segmentor
from core.parts.losses import cross_entropy
from core.phases import Phase
from core.prepare import Prepared, prepare
from core.runs.control import Control
from core.runs.run import Run, open_run, take_requests
from geo_io.legend import IGNORE

PHASE = "verify"
STEPS = 300
DRAWS = 2000
Counts = NDArray[np.int64]
"""(n, k, k) pixels of held-out crops, truth by prediction."""


def verify(folder: Path, steps: int = STEPS) -> Iterator[AnyEvent]:
    """Score both models of a run by what they teach; the verdict's evidence has it in the end.

    The choice stays as it is: the record says what it would be. Raises BadInput for a run that has not two
    models to compare, and Stopped, nothing changed, when asked to stop.
    """
    run = open_run(folder)
    if not all(weights_path(run.phase(stage)).exists() for stage in (SOURCE_ONLY, ADAPTED)):
        raise BadInput(folder, "has not both a source-only and an adapted model", "let a run that adapts end")
    if not (folder / "verdict.json").exists():
        raise BadInput(folder, "has no verdict yet", "let the run end: `isthmus run` resumes it")
    with run.locked():
        take_requests(folder)
        counts: dict[str, Counts] = {}
        for said in _both(run, steps, counts):
            yield said
            if "stop" in take_requests(folder):
                raise Stopped
        if not len(counts[ADAPTED]):
            raise BadInput(
                folder, "has no held-out labels to score by", "raise sampling.holdout, and run anew"
            )
        record = _judged(run, compare(counts[SOURCE_ONLY], counts[ADAPTED], run.job.seed) | {"steps": steps})
        write_json(folder / "verdict.json", record)
        journal = Journal(folder)
        try:
            yield journal.write(Evaluated(what="verdict", scores=record))
            if run.done:  # its last event stays how it ended
                yield journal.write(Ended(how="done"))
        finally:
            journal.close()


def compare(source_only: Counts, adapted: Counts, seed: int) -> dict[str, Any]:
    """Mean IoU of what either taught, and their difference, with 90 % intervals over the crops, resampled."""
    draws = rng(seed, "bootstrap").integers(len(adapted), size=(DRAWS, len(adapted)))
    both = [(_miou(each.sum(0)), _miou(each[draws].sum(1))) for each in (source_only, adapted)]
    (before, drawn_before), (after, drawn_after) = both

    def spread(value: NDArray[np.float64], drawn: NDArray[np.float64]) -> dict[str, float]:
        low, high = np.percentile(drawn, [5, 95])
        return {"miou": float(value), "low": float(low), "high": float(high)}

    return {
        "crops": len(adapted),
        "source_only": spread(before, drawn_before),
        "adapted": spread(after, drawn_after),
        "gain": spread(after - before, drawn_after - drawn_before),
    }


def _miou(counts: Counts) -> NDArray[np.float64]:
    """(..., k, k) -> (...): the mean over the classes that the truth holds."""
    hits = np.diagonal(counts, axis1=-2, axis2=-1)
    truth, seen = counts.sum(-1), counts.sum(-2)
    iou = hits / np.maximum(truth + seen - hits, 1)
    there = truth > 0
    return np.asarray(np.where(there, iou, 0).sum(-1) / np.maximum(there.sum(-1), 1))


def _both(run: Run, steps: int, counts: dict[str, Counts]) -> Iterator[AnyEvent]:
    """Teach and score a network by each model; `counts` has what came of it."""
    fabric = launch(run.job.schedule)
    phases = {stage: f"taught by {stage}" for stage in (SOURCE_ONLY, ADAPTED)}
    yield Started(
        run=run.id,
        method="reverse validation",
        seed=run.job.seed,
        device=str(fabric.device),
        phases=[(name, steps) for name in phases.values()],
    )
    data = None
    for found in prepare(run.job, run.folder / "cache"):
        if isinstance(found, Progressed):
            yield found
        else:
            data = found
    assert isinstance(data, Prepared)
    stages = Stages(run, fabric, Control(run, None), None, 0)
    yield from stages.events(data)
    for stage, bench in stages.models.items():
        yield Phased(phase=phases[stage], step=0, steps=steps)
        for step, loss in enumerate(taught(bench, steps), 1):
            yield Stepped(phase=phases[stage], step=step, losses={"supervised": float(loss)})
        counts[stage] = scored(bench)


def taught(bench: Bench, steps: int) -> Iterator[Tensor]:
    """Put a fresh network at the bench, and train it on what the one there says of the target."""
    model = bench.segmentor
    student = bench.restart()
    optimizer = bench.optimizer(student)
    bench.phases = [Phase(PHASE, steps)]
    for (target,) in bench.steps(PHASE, [TARGET]):
        labelled = bench.jitter(_labelled(model, target))
        loss = bench.backward(cross_entropy(student(labelled.image), labelled))
        bench.step(optimizer)
        yield loss


def _labelled(model: Segmentor, target: Batch) -> Batch:
    """The batch with the model's answer for its labels."""
    with evaluating(model), torch.no_grad():
        label = torch.where(target.valid, model(target.image).logits.argmax(1), IGNORE)
    return target._replace(label=label, weight=target.valid.float())


def scored(bench: Bench) -> Counts:
    """The network at the bench against the source's held-out labels, crop by crop."""
    found = []
    with evaluating(bench.segmentor), torch.no_grad():
        for crop in fixed_crops(bench, CROPS).held:
            batch, confusion = bench.batch(SOURCE, [crop]), Confusion(bench.classes)
            predicted = bench.segmentor(batch.image).logits.argmax(1)
            confusion.add(batch.label.cpu().numpy(), predicted.cpu().numpy())
            found.append(confusion.matrix)
    return np.array(found)


def _judged(run: Run, reverse: dict[str, Any]) -> dict[str, Any]:
    """The run's verdict with this evidence, and with the choice that the same rule would make of it."""
    record: dict[str, Any] = read_json(run.folder / "verdict.json")
    would = verdict.choose(
        Signals(**record["source_only"]),
        Signals(**record["adapted"]),
        record["source_shares"],
        run.job.legend.names,
        record.get("expected_shares"),
        reverse["gain"],
    )
    choice = {"chosen": would.chosen, "sure": would.sure, "reasons": would.reasons}
    record |= {"reverse": reverse | {"would_choose": choice}}
    return record | {"evidence": evidence(record)}
