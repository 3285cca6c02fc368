"""What a run will take, measured before it starts: some steps of each phase and a tile, on its own device."""

import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor

from core.bench import SOURCE, TARGET
from core.cost import Cost, PhaseCost
from core.devices import autocast_type, launch, memory_gib
from core.disk_space import needed_bytes
from core.errors import RunFailed
from core.execution.stages import phases_of, stage_order
from core.execution.trial import Few, TrialBench, timed, wait
from core.imagery.class_index import ClassIndex
from core.imagery.places import Place, open_pair, working_gsd_m
from core.job import Job, Sampling
from core.judging import signals
from core.mapping.predict import estimate as map_estimate
from core.mapping.predictor import Predictor
from core.networks.segmentor import build_segmentor
from core.registry import Chosen
from geo_io.band_stats import measure

BUDGET_S = 6.0
"""About how long steps are tried on a CPU; slower ones are tried on small crops at two sizes instead."""
LEAST_PX, LEAST_BATCH = 64, 2
TRIED_TILE_PX = 256
"""Side of the tile that is timed on a CPU, where time and memory grow with its area."""
MOST_STEPS = 6
STEP_FORWARDS = 8
"""Forward passes that a step is taken to be worth, to choose how many to try."""
STATS_PX = 100_000


def estimate(job: Job, folder: Path) -> Cost:
    """Measure what `job` will take in `folder`. Raises BadInput for a job that cannot run, RunFailed
    where not even a step fits into memory."""
    fabric = launch(job.schedule)
    try:
        return _Trial(job, fabric).cost(folder)
    except (torch.OutOfMemoryError, MemoryError):
        raise RunFailed(
            f"a step does not fit into the memory of {fabric.device}: lower sampling.batch or "
            "sampling.crop_px, or take a smaller network"
        ) from None


class _Trial:
    """A job's network, data and device, for as long as it takes to time them."""

    def __init__(self, job: Job, fabric: Fabric) -> None:
        network = job.network.without_weights()
        self.job = job.model_copy(update={"network": network})
        self.fabric, self.device = fabric, fabric.device
        source, target = open_pair(job)
        self.gsd_m = working_gsd_m(job, source, target)
        self.domains = {SOURCE: self._domain(source), TARGET: self._domain(target)}
        self.order = stage_order(job)
        self.segmentor, _ = build_segmentor(network, source[0].scene.bands, len(job.legend.classes))
        self.segmentor.precision = autocast_type(job.schedule, self.device)
        self.left_out = self.left_out_tiles = 0

    def cost(self, folder: Path) -> Cost:
        self._bench(self.order[0][1], 1)  # places the network
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        tile_s, tiles, map_gib = self._maps()
        seen_once_s = tile_s / self.job.predict.test_time_views
        crop_s = seen_once_s * (self.job.sampling.crop_px / self.job.predict.tile_px) ** 2
        paces, step_gib = self._paces(crop_s)
        models, peak = len(self.order), _peak_gib(self.device)
        judged = models * 3 * signals.CROPS + self.left_out
        return Cost(
            device=str(self.device),
            phases=[
                PhaseCost(name=name, steps=steps, seconds_per_step=paces[name])
                for name, steps in phases_of(self.order)
            ],
            judging_s=judged * crop_s + self.left_out_tiles * seen_once_s,
            maps_s=tile_s * tiles * (models if self.job.predict.models == "both" else 1),
            tiles=tiles,
            memory_gib=None if peak is None else max(peak, map_gib or 0, step_gib or 0),
            memory_there_gib=memory_gib(self.device),
            disk_gib=needed_bytes(self.job) / 2**30,
            disk_free_gib=shutil.disk_usage(_existing(folder)).free / 2**30,
        )

    def _domain(self, places: list[Place]) -> Few:
        sampling, k = self.job.sampling, len(self.job.legend.classes)
        side = sampling.crop_px // 2
        grids = [place.scene.grid.at_gsd(self.gsd_m) for place in places]
        shapes = [(-(-grid.height // side), -(-grid.width // side)) for grid in grids]
        index = ClassIndex(
            side,
            [np.full((*shape, k), side * side) for shape in shapes],
            [np.full(shape, side * side) for shape in shapes],
        )
        stats = measure([(places[0].scene, places[0].area)], STATS_PX)
        return Few(places, stats, self.gsd_m, sampling, index)

    def _bench(self, method: Chosen, steps: int) -> TrialBench:
        phases = [
            replace(phase, steps=min(phase.steps, steps), horizon=phase.horizon or phase.steps)
            for phase in method.phases
        ]
        return TrialBench(self.job, self.fabric, self.segmentor, dict(self.domains), phases)

    def _paces(self, crop_s: float) -> tuple[dict[str, float], float | None]:
        """Phase -> seconds a step, and on a CPU the GiB of one. A phase of one name is tried once."""
        asked, kinds = self.job.sampling, len({name for name, _ in phases_of(self.order)})
        steps = BUDGET_S / kinds / (STEP_FORWARDS * asked.batch * crop_s)
        if self.device.type != "cpu" or steps >= 2:
            return self._tried(int(min(max(steps, 2), MOST_STEPS))), self._step_gib(asked)
        # Below what the network takes at once, crops of all sizes cost the same.
        side = max(LEAST_PX, self.segmentor.multiple_px)
        small, larger = _small(asked, side), _small(asked, 2 * side)
        self._take(small)
        found, memory = self._tried(2), self._step_gib(asked)
        if _pixels(larger) > _pixels(small):
            self._take(larger)
            more = (_pixels(asked) - _pixels(small)) / (_pixels(larger) - _pixels(small))
            found = {name: found[name] + more * max(s - found[name], 0) for name, s in self._tried(1).items()}
        return found, memory

    def _take(self, sampling: Sampling) -> None:
        self.job = self.job.model_copy(update={"sampling": sampling})
        for domain in self.domains.values():
            domain.sampling = sampling

    def _step_gib(self, asked: Sampling) -> float | None:
        """Memory with the activations of one forward pass on crops as `asked`, counted on those tried."""
        before = _peak_gib(self.device)
        if self.device.type != "cpu" or before is None:
            return None
        self.segmentor.train()
        held: dict[int, int] = {}

        def count(tensor: Tensor) -> Tensor:
            storage = tensor.untyped_storage()
            held[storage.data_ptr()] = storage.nbytes()
            return tensor

        bench, generator = self._bench(self.order[0][1], 1), np.random.default_rng(self.job.seed)
        crops = [self.domains[TARGET].draw(generator) for _ in range(LEAST_BATCH)]
        with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
            kept = self.segmentor(bench.batch(TARGET, crops).image)
        del kept
        scale = _pixels(asked) / (LEAST_BATCH * self.job.sampling.crop_px**2)
        return before + sum(held.values()) * scale / 2**30

    def _tried(self, steps: int) -> dict[str, float]:
        methods = [method for _, method in self.order]
        if methods[-1].phases[0].name == methods[0].phases[0].name:
            methods = methods[-1:]
        paces: dict[str, float] = {}
        for method in methods:
            bench = self._bench(method, steps)
            paces |= timed(bench, method)
            self.left_out += bench.left_out + sum(domain.left_out for domain in self.domains.values())
            self.left_out_tiles = bench.left_out_tiles
            for domain in self.domains.values():
                domain.left_out = 0
        return paces

    def _maps(self) -> tuple[float, int, float | None]:
        """Seconds for a tile, tiles of all target scenes, and peak memory in GiB on a CPU."""
        job, domain = self.job, self.domains[TARGET]
        mapped = [p.scene for p, s in zip(domain.places, job.target.scenes, strict=True) if s.map]
        predictor = Predictor(self.segmentor, domain.stats, job.legend, job.predict, self.device, self.gsd_m)
        needs = [map_estimate(predictor, scene) for scene in mapped]
        slots = [predictor.slots(predictor.plane(scene.grid).tiling_x.count) for scene in mapped]
        most = max(slots, default=1)
        on_cpu, tile_px, bands = self.device.type == "cpu", job.predict.tile_px, domain.places[0].scene.bands
        at_once, side = (1, min(tile_px, TRIED_TILE_PX)) if on_cpu else (most, tile_px)
        values, valid = torch.zeros(at_once, len(bands), side, side), torch.ones(at_once, side, side).bool()
        before = _peak_gib(self.device)
        share = at_once * (side / tile_px) ** 2
        seconds = self._seconds(lambda: predictor.logits(values, valid)) / share
        after, tiles = _peak_gib(self.device), sum(need.tiles for need in needs)
        memory = None
        if on_cpu and before is not None and after is not None:
            beside = max((need.memory_mb for need in needs), default=0) / 1024
            memory = before + (after - before) / share * most + beside
        return seconds, tiles, memory

    def _seconds(self, work: Callable[[], object]) -> float:
        """Once to warm up, unless that takes long; then timed."""
        taken = self._once(work)
        return taken if taken > 1 else self._once(work)

    def _once(self, work: Callable[[], object]) -> float:
        begun = time.perf_counter()
        work()
        wait(self.device)
        return time.perf_counter() - begun


def _small(sampling: Sampling, crop_px: int) -> Sampling:
    least = {"batch": min(sampling.batch, LEAST_BATCH), "crop_px": min(sampling.crop_px, crop_px)}
    return sampling.model_copy(update=least)


def _pixels(sampling: Sampling) -> int:
    return sampling.batch * sampling.crop_px**2


def _peak_gib(device: torch.device) -> float | None:
    """Peak memory so far: allocated on a GPU, else of this process where the system tells."""
    if device.type == "cuda":
        return float(torch.cuda.max_memory_allocated(device)) / 2**30
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak) / (2**30 if sys.platform == "darwin" else 2**20)


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.resolve().parents) if path.exists())
