"""Executing a run: prepare, train the candidate, adapt, judge, map, score; resumed wherever it stopped."""

import traceback
from collections.abc import Iterator
from typing import TypeVar

import torch
from lightning_fabric import Fabric

from core import checkpoint
from core.checks.preflight import check
from core.devices import launch, precision_of, rank
from core.disk_space import require_room
from core.errors import BadInput, RunFailed, Stopped
from core.events import AnyEvent, Ended, Evaluated, Failed, Noted, Paused, Resumed, Started, Warned
from core.execution.maps import make_maps, score_maps
from core.execution.stages import ADAPTED, SOURCE_ONLY, Stages
from core.files import write_json
from core.journal import Journal
from core.judging import verdict
from core.judging.evidence import changes, evidence
from core.judging.signals import Measured, disagreement, measuring, source_shares
from core.prepare import Prepared, prepare
from core.runs.control import Control
from core.runs.run import Run, changed_inputs, write_exit

Said = TypeVar("Said")


def execute(run: Run) -> Iterator[AnyEvent]:
    """Do what is left of a run, recording each event before passing it on.

    Raises BadInput, RunFailed or Stopped after the event that says so; the folder is then ready to
    be resumed. Closing the iterator is like killing the worker: the last checkpoint stays. With several
    devices the first one keeps the folder, and the others work along.
    """
    if rank() > 0:
        yield from _work(run, Control(run, None))
        return
    with run.locked():
        journal = Journal(run.folder)
        control = Control(run, journal)
        (run.folder / "exit.json").unlink(missing_ok=True)
        try:
            for event in _work(run, control):
                yield journal.write(event)
            write_exit(run, "done")
            yield journal.write(Ended(how="done"))
        except Stopped:
            write_exit(run, "stopped")
            yield journal.write(Ended(how="stopped"))
            raise
        except (BadInput, RunFailed) as fault:
            write_exit(run, "failed", str(fault))
            yield journal.write(Failed(text=str(fault)))
            raise
        except Exception as fault:
            text = _in_words(fault)
            write_exit(run, "failed", text)
            yield journal.write(Failed(text=text, details=traceback.format_exc()))
            raise RunFailed(text) from fault
        finally:
            control.close()
            journal.close()


def _in_words(fault: Exception) -> str:
    if isinstance(fault, torch.OutOfMemoryError | MemoryError):
        return "out of memory: lower sampling.batch or sampling.crop_px, or take a smaller network, and rerun"
    return (
        f"unexpected {type(fault).__name__}: {' '.join(str(fault).split())[:200]} (details in events.jsonl)"
    )


def _work(run: Run, control: Control) -> Iterator[AnyEvent]:
    fabric = launch(run.job.schedule)
    resume, number, damaged = checkpoint.newest(run.checkpoints)
    stages = Stages(run, fabric, control, resume, number)
    precision = precision_of(run.job.schedule, fabric.device)
    yield Started(
        run=run.id,
        method=run.job.method.name,
        seed=run.job.seed,
        device=f"{fabric.device} ({torch.get_num_threads()} threads, {precision})",
        phases=stages.phases,
    )
    yield from _cautions(run, resume, [str(path) for path in damaged])
    if fabric.is_global_zero:
        stages.adopt_candidate()
    data = None
    with fabric.rank_zero_first():  # what the first device measures, the others load
        begins = (resume.phase, resume.step) if resume else (stages.phases[0][0], 0)
        for found in _heeding(prepare(run.job, run.folder / "cache"), control, fabric, *begins):
            if isinstance(found, Prepared):
                data = found
            else:
                yield found
    assert data is not None
    yield from stages.events(data)
    if fabric.is_global_zero:
        yield from _heeding(_judge(run, stages), control, fabric, *stages.phases[-1])
        maps = make_maps(run, stages.models, data)
        yield from _heeding(maps, control, fabric, *stages.phases[-1])
        yield from score_maps(run, stages.models)


def _heeding(
    work: Iterator[Said], control: Control, fabric: Fabric, phase: str, step: int
) -> Iterator[Said | Paused | Resumed]:
    """Work beside the training, paused and stopped between its events; it is at `step` of `phase`.

    With several devices it is not: the others wait for the end of it.
    """
    try:
        for said in work:
            yield said
            if fabric.world_size > 1:
                continue
            if not control.running.is_set():
                yield Paused(phase=phase, step=step)
                control.running.wait()
                yield Resumed(phase=phase, step=step)
            if control.stop.is_set():
                raise Stopped
    finally:
        work.close()  # type: ignore[attr-defined]  # a generator, whose threads end with it


def _cautions(run: Run, resume: checkpoint.Checkpoint | None, damaged: list[str]) -> Iterator[AnyEvent]:
    """What stops a run before it starts, and what its user should know when it resumes."""
    require_room(run)
    if resume is None:
        for warning in check(run.job):
            yield Warned(text=warning)
    for path in damaged:
        yield Warned(text=f"{path}: the checkpoint is damaged; going on from the one before it")
    for path in changed_inputs(run):
        raise BadInput(
            path,
            "has changed since the run was made, it or a file that is read with it",
            "put the old file back, or start a new run",
        )
    if resume and resume.threads != torch.get_num_threads():
        yield Warned(
            text=f"the run began with {resume.threads} CPU threads and resumes with "
            f"{torch.get_num_threads()}: its weights will differ in the last digits; set schedule.threads"
        )


def _judge(run: Run, stages: Stages) -> Iterator[AnyEvent]:
    """Measure every model without a target label, choose one, and write the verdict."""
    names = run.job.legend.names
    measured: dict[str, Measured] = {}
    for name, bench in stages.models.items():
        for said in measuring(bench, bench.segmentor, what=f"judging {name}"):
            if isinstance(said, Measured):
                measured[name] = said
            else:
                yield said
        yield Evaluated(what=name, scores=measured[name].signals.to_dict())
    if ADAPTED not in measured:
        write_json(
            run.folder / "verdict.json",
            {
                "chosen": SOURCE_ONLY,
                "sure": "clear",
                "reasons": ["nothing was adapted"],
                "source_only": measured[SOURCE_ONLY].signals.to_dict(),
            },
        )
        return
    prior = source_shares(stages.models[SOURCE_ONLY])
    expected = run.job.expected_shares
    found = verdict.choose(measured[SOURCE_ONLY].signals, measured[ADAPTED].signals, prior, names, expected)
    differs = disagreement(measured[SOURCE_ONLY].classes, measured[ADAPTED].classes)
    record = found.to_dict() | {"disagreement": differs, "source_shares": prior}
    record |= {"expected_shares": expected, "changes": changes(run.folder, ADAPTED)}
    record["evidence"] = evidence(record)
    write_json(run.folder / "verdict.json", record)
    yield Evaluated(what="verdict", scores=record)
    yield Noted(text=f"the map is made with {found.text}")
