"""A bench over drawn tensors: what a method needs to train, without images on disk."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from core.bench import Bench
from core.devices import launch
from core.imagery.data import Domain, Sample
from core.job import Job
from core.networks.outputs import Batch
from core.networks.segmentor import build_segmentor
from core.registry import Chosen, choose
from geo_io.band_stats import BandStats

BANDS = ("red", "green", "blue")


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def blocks(b: int, side: int, classes: int, seed: int = 0, cell: int = 8) -> Tensor:
    """(b, side, side) labels in squares of `cell` px."""
    generator = torch.Generator().manual_seed(seed)
    n = -(-side // cell)
    small = torch.randint(0, classes, (b, n, n), generator=generator)
    return small.repeat_interleave(cell, 1).repeat_interleave(cell, 2)[:, :side, :side]


def batch(b: int, side: int, classes: int, seed: int, bands: int = 3) -> Batch:
    label = blocks(b, side, classes, seed)
    valid = torch.ones(b, side, side, dtype=torch.bool)
    return Batch(normal(b, bands, side, side, seed=seed), label, torch.ones(b, side, side), valid)


def job(method: str, classes: int, **parts: Any) -> Job:
    region = {"scenes": [{"path": "drawn.tif"}]}
    legend = {"classes": [{"name": f"class {i}", "color": f"#{i:06x}"} for i in range(classes)]}
    fixed = {"device": "cpu", "precision": "32"}
    content: dict[str, Any] = {
        "name": "drawn",
        "source": {"name": "source", **region},
        "target": {"name": "target", **region},
        "legend": legend,
        "method": {"name": method, "options": parts.pop("options", {})},
        "network": {"weights": None, **parts.pop("network", {})},
        "schedule": {**fixed, **parts.pop("schedule", {})},
        "sampling": {"batch": 1, "photometric_jitter": 0, "rare_classes": False, **parts.pop("sampling", {})},
    }
    return Job.model_validate(content)


def bench_for(made: Job, unlabelled: float = 0.125) -> tuple[Bench, Chosen]:
    """A bench whose domains draw noise under block labels; a share of each crop is unlabelled."""
    ones, noughts, most = (1.0,) * 3, (0.0,) * 3, (1e9,) * 3
    low = (-1e9,) * 3
    stats = BandStats(BANDS, low, most, noughts, ones, low, most, 1.0, 1, ((1,),) * 3)
    side, classes = made.sampling.crop_px, len(made.legend.classes)

    def draw(generator: np.random.Generator) -> Sample:
        label = blocks(1, side, classes, int(generator.integers(2**31)), cell=16)[0].numpy().astype(np.uint8)
        label[: round(unlabelled * side)] = 255
        values = generator.standard_normal((3, side, side), np.float32)
        return Sample(values, label, np.ones((side, side), bool))

    domain = cast(Domain, SimpleNamespace(stats=stats, draw=draw))
    segmentor, _ = build_segmentor(made.network, BANDS, classes, seed=made.seed)
    chosen = choose(made, made.method.name, made.method.options)
    fabric = launch(made.schedule)
    domains = {"source": domain, "target": domain}
    return Bench(made, fabric, segmentor, domains, chosen.phases), chosen


def recorded(bench: Bench) -> list[tuple[Batch, ...]]:
    """The batches that the bench's method will be given, filled as it trains."""
    seen: list[tuple[Batch, ...]] = []
    steps = bench.steps

    def record(*args: Any) -> Iterator[tuple[Batch, ...]]:
        for batches in steps(*args):
            seen.append(batches)
            yield batches

    bench.steps = record  # type: ignore[method-assign]
    return seen
