"""What a run has come to: the fold of its events. The command line and the window show the same."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from core.events import (
    AnyEvent,
    Ended,
    Evaluated,
    Failed,
    Paused,
    Phased,
    Pictured,
    Progressed,
    Resumed,
    Started,
    Stepped,
    Warned,
)

Curves = dict[str, list[tuple[int, float]]]
"""Name -> (optimisation steps done in the whole run, value)."""
Status = Literal["waiting", "running", "paused", "done", "stopped", "failed"]


@dataclass
class Progress:
    """Fold events in order with `fold`; read the fields at any time."""

    status: Status = "waiting"
    run: str = ""
    method: str = ""
    phases: list[tuple[str, int]] = field(default_factory=list)
    phase: str = ""
    step: int = 0
    losses: dict[str, float] = field(default_factory=dict)
    curves: Curves = field(default_factory=dict)
    work: tuple[str, int, int] | None = None
    scores: dict[str, dict[str, Any]] = field(default_factory=dict)
    score_curves: Curves = field(default_factory=dict)
    pictures: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    fault: str = ""
    _pace_s: dict[str, float] = field(default_factory=dict)
    _last: tuple[str, int, float] | None = None
    _work_begun: tuple[str, int, float] | None = None
    _work_left_s: float | None = None

    def fold(self, event: AnyEvent) -> None:
        handler = getattr(self, f"_on_{event.kind}", None)
        if handler:
            handler(event)

    @property
    def steps_total(self) -> int:
        return sum(steps for _, steps in self.phases)

    @property
    def steps_done(self) -> int:
        return self._before(self.phase) + self.step

    @property
    def seconds_left(self) -> float | None:
        """Seconds of training left at each phase's own pace (the latest pace for phases not begun)."""
        latest = self._pace_s.get(self.phase)
        if latest is None or self.status != "running":
            return None
        names = [name for name, _ in self.phases]
        begun = names.index(self.phase) if self.phase in names else 0
        ahead = sum(self._pace_s.get(name, latest) * steps for name, steps in self.phases[begun + 1 :])
        return ahead + latest * (dict(self.phases).get(self.phase, self.step) - self.step)

    @property
    def work_seconds_left(self) -> float | None:
        """Seconds left of the other long work at hand, at its pace so far."""
        return self._work_left_s if self.work else None

    def _before(self, phase: str) -> int:
        names = [name for name, _ in self.phases]
        return sum(steps for _, steps in self.phases[: names.index(phase)]) if phase in names else 0

    def _on_started(self, event: Started) -> None:
        self.status, self.run, self.method, self.phases = "running", event.run, event.method, event.phases
        self.fault, self._last = "", None

    def _on_phased(self, event: Phased) -> None:
        self.phase, self.step, self.work, self._last = event.phase, event.step, None, None

    def _on_stepped(self, event: Stepped) -> None:
        if self._last and self._last[0] == event.phase and event.step > self._last[1]:
            pace = (event.time - self._last[2]) / (event.step - self._last[1])
            smooth = self._pace_s.get(event.phase, pace)
            self._pace_s[event.phase] = 0.8 * smooth + 0.2 * pace
        self._last = (event.phase, event.step, event.time)
        self.phase, self.step, self.losses, self.work = event.phase, event.step, event.losses, None
        for name, value in event.losses.items():
            self.curves.setdefault(name, []).append((self.steps_done, value))

    def _on_progressed(self, event: Progressed) -> None:
        self.work = None if event.done >= event.total else (event.what, event.done, event.total)
        if self._work_begun is None or self._work_begun[0] != event.what or event.done <= self._work_begun[1]:
            self._work_begun = event.what, event.done, event.time
        _, begun, since = self._work_begun
        taken = event.time - since
        self._work_left_s = (event.total - event.done) * taken / (event.done - begun) if taken > 0 else None

    def _on_evaluated(self, event: Evaluated) -> None:
        self.scores[event.what] = event.scores
        if event.step is not None:
            at = self._before(event.phase or "") + event.step
            for name, value in _numbers(event.scores):
                self.score_curves.setdefault(name, []).append((at, value))

    def _on_pictured(self, event: Pictured) -> None:
        self.pictures[event.what] = event.path

    def _on_warned(self, event: Warned) -> None:
        if event.text not in self.warnings:
            self.warnings.append(event.text)

    def _on_paused(self, event: Paused) -> None:
        self.status, self.phase, self.step, self._last = "paused", event.phase, event.step, None

    def _on_resumed(self, event: Resumed) -> None:
        self.status, self.phase, self.step, self._last = "running", event.phase, event.step, None
        done = self.steps_done
        self.curves, self.score_curves = _until(done, self.curves), _until(done, self.score_curves)

    def _on_failed(self, event: Failed) -> None:
        self.status, self.fault = "failed", event.text

    def _on_ended(self, event: Ended) -> None:
        self.status = event.how


def _until(step: int, curves: Curves) -> Curves:
    """The curves without what lies after `step`."""
    return {name: [point for point in curve if point[0] <= step] for name, curve in curves.items()}


def _numbers(scores: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """Every number under its name; those of a mapping under both names: `shares: water`."""
    for name, value in scores.items():
        if isinstance(value, dict):
            yield from ((f"{name}: {inner}", number) for inner, number in _numbers(value))
        elif isinstance(value, int | float):
            yield name, float(value)
