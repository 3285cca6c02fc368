"""Previews: what the network in training makes of the window somebody looks at, as rasters in the run."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.bench import TARGET, Bench
from core.errors import BadInput, RunFailed
from core.events import AnyEvent, Pictured, Warned
from core.mapping.blend import decide
from core.mapping.predict_window import Seen, look_at, probabilities
from core.mapping.predictor import Predictor
from core.parts.pseudo_labels import ClassTrust
from core.parts.teacher import Teacher
from core.runs.control import Control
from core.runs.map_files import CONFIDENCE_STEPS
from core.runs.run import Run
from geo_io.grid import Box, Grid
from geo_io.write import write_map, write_shares

KEPT = 2
Part = TypeVar("Part")


@dataclass
class Previews:
    """The previews of one training. `events()` makes the one that is due, if any; training is not disturbed.

    What goes wrong with a preview is a warning, once a view: no training ends for a picture.
    """

    run: Run
    stage: str
    bench: Bench
    control: Control
    steps_since: int = 0

    def after_step(self) -> Iterator[AnyEvent]:
        """Count an optimisation step, then as `events`."""
        self.steps_since += 1
        yield from self.events()

    def events(self) -> Iterator[AnyEvent]:
        """Picture the view where it was just asked for, or long enough ago."""
        asked = self.control.looked.is_set()
        if asked:
            self.control.looked.clear()
        view = self.control.view
        if view.scene is None or not (asked or self.steps_since >= view.every_steps):
            return
        self.steps_since = 0
        try:
            with undisturbed(self.bench.device):
                seen = self._look(view.scene, view.box)
                paths = self._write(seen.grid, self._rasters(seen))
        except (BadInput, RunFailed) as fault:
            if asked:
                yield Warned(text=f"no preview, training goes on: {fault}")
            return
        yield Pictured(
            what="preview",
            path=paths.pop("class"),
            layers=paths,
            stage=self.stage,
            phase=self.bench.phase.name,
            step=self.bench.step_now + 1,
        )

    def _look(self, scene: int, box: Box) -> Seen:
        domain = self.bench.domains[TARGET]
        if scene >= len(domain.places):
            raise BadInput(f"scene {scene}", "is not in this run", f"its target has {len(domain.places)}")
        return look_at(domain.places[scene], box, domain.gsd_m, self.run.job.predict.overlap_px // 2)

    def _rasters(self, seen: Seen) -> dict[str, NDArray[np.uint8]]:
        """Layer -> (h, w), 255 where there is nothing to map; in `pseudo` also where no label is trusted."""
        found = self._probabilities(self.bench.mapper, seen)
        rasters = dict(zip(("class", "confidence"), _decided(found, seen), strict=True))
        if trust := self._kept(ClassTrust):
            teacher = self._kept(Teacher)
            if teacher and teacher.network is not self.bench.mapper:
                found = self._probabilities(teacher.network, seen)
            valid = torch.from_numpy(seen.patch.valid).to(found.device)
            pseudo = trust.label(found[None], valid[None]).label[0]
            rasters["pseudo"] = seen.cut(pseudo.to(torch.uint8).cpu().numpy())
        return rasters

    def _write(self, grid: Grid, rasters: dict[str, NDArray[np.uint8]]) -> dict[str, str]:
        """Layer -> path in the run, under a new number. The classes come last: with them all is there."""
        folder = self.run.folder / "preview"
        number = max((int(path.name[:6]) for path in folder.glob("*.class.tif")), default=-1) + 1
        paths = {layer: folder / f"{number:06d}.{layer}.tif" for layer in reversed(rasters)}
        for layer, path in paths.items():
            self._write_layer(path, layer, grid, rasters[layer])
        _forget(folder, number - KEPT + 1)
        return {layer: path.relative_to(self.run.folder).as_posix() for layer, path in paths.items()}

    def _probabilities(self, network: nn.Module, seen: Seen) -> Tensor:
        job, domain = self.run.job, self.bench.domains[TARGET]
        options = job.predict.model_copy(update={"test_time_views": 1})
        predictor = Predictor(network, domain.stats, job.legend, options, self.bench.device, seen.grid.gsd_m)
        return probabilities(predictor, seen.patch)

    def _kept(self, kind: type[Part]) -> Part | None:
        """The part of that kind that the method keeps, if it has one."""
        return next((part for part in self.bench.kept.values() if isinstance(part, kind)), None)

    def _write_layer(self, path: Path, layer: str, grid: Grid, values: NDArray[np.uint8]) -> None:
        legend = self.run.job.legend
        tags = {"RUN": self.run.id, "STAGE": self.stage, "STEP": str(self.bench.step_now + 1)}
        if layer == "confidence":
            write_shares(path, grid, [[values]], names=[layer], scale=1 / CONFIDENCE_STEPS, tags=tags)
        else:
            colors = [c.rgb for c in legend.classes]
            write_map(path, grid, [values], colors=colors, names=legend.names, tags=tags, description=layer)


@contextmanager
def undisturbed(device: torch.device) -> Iterator[None]:
    """No gradient, and torch's generators as they were: what is done here leaves no trace in a training."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices), torch.no_grad():
        yield


def _decided(found: Tensor, seen: Seen) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Classes and confidences of the window, (h, w) each, 255 where there is nothing to map."""
    with torch.inference_mode():
        both = torch.empty(2, *found.shape[1:], dtype=torch.uint8, device=found.device)
        decide(found, both)
    classes, confidence = seen.cut(both.cpu().numpy())
    return classes, confidence


def _forget(folder: Path, before: int) -> None:
    """Delete the previews of lower numbers; one that a reader holds open goes the next time."""
    for path in folder.glob("*.tif*"):
        if path.name[:6].isdigit() and int(path.name[:6]) < before:
            try:
                path.unlink()
            except PermissionError:
                continue
