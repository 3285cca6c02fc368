"""One training: a method driven step by step, checkpointed, paused, stopped, resumed."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core import checkpoint
from core.bench import Bench
from core.errors import RunFailed, Stopped
from core.events import AnyEvent, Noted, Paused, Phased, Progressed, Resumed, Saved, Stepped
from core.execution import probe
from core.execution.preview import Previews
from core.registry import Chosen
from core.runs.control import Control
from core.runs.run import Run

EVENTS_A_SECOND = 4
PAUSED_LOOK_S = 0.1
"""How often a paused training looks whether it may go on, or is asked for a preview."""


@dataclass
class Training:
    """A stage of a run (`source-only` or `adapted`): `events()` trains it and leaves its weights on disk.

    `snapshots_at`: the steps of source-only training whose state other methods may start from.
    """

    run: Run
    stage: str
    method: Chosen
    bench: Bench
    control: Control
    number: int
    snapshots_at: tuple[int, ...] = ()
    _due: float = 0.0

    def __post_init__(self) -> None:
        self.previews = Previews(self.run, self.stage, self.bench, self.control)
        self.probe = probe.Probe(self.bench, self.stage)

    def events(self) -> Iterator[AnyEvent]:
        """Train to the end. Raises Stopped, the state saved, when asked to, and RunFailed if it diverges."""
        resume = self.bench.resume
        if resume and resume.stage == self.stage:  # a warm start from another stage undoes none of its steps
            yield Resumed(phase=resume.phase, step=resume.step)
        every, phase, folder = self.run.job.schedule.checkpoint_every, "", self.run.phase(self.stage)
        for said in self.method.module.train(self.bench, self.method.options):
            if isinstance(said, Progressed):
                yield said
                if self.bench.fabric.world_size == 1:  # several devices wait for the one that works
                    yield from self._obey()
                continue
            at, step = self.bench.phase, self.bench.step_now + 1
            if at.name != phase:
                phase = at.name
                yield Phased(phase=phase, step=step - 1, steps=at.steps)
            yield from self._noted()
            if time.monotonic() >= self._due or step == at.steps:
                self._due = time.monotonic() + 1 / EVENTS_A_SECOND
                told = Stepped(
                    phase=phase, step=step, losses={name: float(loss) for name, loss in said.items()}
                )
                yield told
                _require_finite(told)
            if phase == "source" and step in self.snapshots_at:
                self._write(folder / "snapshot", self.bench.state(self.stage), step)
            yield from self.probe.after_step()
            if step % every == 0 and step < at.steps:
                yield self._save()
            yield from self.previews.after_step()
            yield from self._obey()
        if self.bench.fabric.is_global_zero:
            checkpoint.save_weights(self.bench.mapper, checkpoint.weights_path(folder))
        self.bench.fabric.barrier()

    def _noted(self) -> Iterator[Noted]:
        while self.bench.notes:
            yield Noted(text=self.bench.notes.pop(0))

    def _save(self) -> Saved:
        state = self.bench.state(self.stage)
        if self.probe.before is not None:
            state.kept[probe.KEPT] = self.probe.before
        self._write(self.run.checkpoints, state, self.number)
        self.number += 1
        return Saved(phase=state.phase, step=state.step)

    def _write(self, folder: Path, state: checkpoint.Checkpoint, number: int) -> None:
        if self.bench.fabric.is_global_zero:
            checkpoint.save(folder, state, number)

    def _obey(self) -> Iterator[AnyEvent]:
        """Do what was asked since the last step: on every device the same, device 0 deciding."""
        wanted = self.bench.fabric.broadcast(
            (self.control.checkpoint.is_set(), self.control.running.is_set(), self.control.stop.is_set())
        )
        save, running, stop = wanted
        if save:
            self.control.checkpoint.clear()
            if self.bench.phase.name:  # else nothing is trained yet
                yield self._save()
        if stop:
            raise Stopped
        if not running:
            begun = self.bench.phase.name
            phase, step = (begun, self.bench.step_now + 1) if begun else (self.bench.phases[0].name, 0)
            yield Paused(phase=phase, step=step)
            while not self.control.running.wait(PAUSED_LOOK_S):
                yield from self.previews.events()
            yield Resumed(phase=phase, step=step)
            yield from self._obey()


def _require_finite(told: Stepped) -> None:
    """Raises RunFailed where a loss is no number any more: nor are the weights, then."""
    for name, loss in told.losses.items():
        if not math.isfinite(loss):
            where = f"at step {told.step} of phase {told.phase!r}"
            remedy = "lower schedule.lr, or set schedule.precision to 32, and run that"
            raise RunFailed(f"training diverged: the loss {name!r} is {loss} {where}; {remedy}")
