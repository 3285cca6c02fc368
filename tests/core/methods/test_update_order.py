"""Who learns before whom, the segmentor or its discriminator."""

from pathlib import Path
from typing import Any

import pytest
from engines import NARROW, bench_for, job_for
from torch.optim import Optimizer

from core.bench import Bench
from core.parts.adversary import Adversary
from core.registry import choose

SEGMENTOR_FIRST = ["fool", "segmentor", "learn", "discriminator"]
"""AdaptSegNet's: what the discriminator learns from was seen before the segmentor's step."""
DISCRIMINATOR_FIRST = ["told", "learn", "discriminator", "fool", "segmentor"]
"""ADDA's: it is fooled as it is after its step, if it told enough before."""

ORDERS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "adaptsegnet": ({}, SEGMENTOR_FIRST),
    "advent": ({}, SEGMENTOR_FIRST),
    "combined": ({"adabn": "no"}, SEGMENTOR_FIRST),
    "fcan": ({"iterations": 1}, SEGMENTOR_FIRST),
    "bdl": (NARROW, SEGMENTOR_FIRST),
    "cycada": (NARROW, DISCRIMINATOR_FIRST),
}


@pytest.mark.parametrize("name", ORDERS)
def test_segmentor_and_discriminator_learn_in_the_published_order(
    places: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    options, order = ORDERS[name]
    done: list[str] = []
    adversaries: list[Adversary] = []
    make, step = Adversary.__init__, Bench.step

    def made(adversary: Adversary, *args: Any, **more: Any) -> None:
        make(adversary, *args, **more)
        adversaries.append(adversary)

    def stepped(bench: Bench, optimizer: Optimizer, *factor: float) -> None:
        judging = any(optimizer is each.optimizer for each in adversaries)
        done.append("discriminator" if judging else "segmentor")
        step(bench, optimizer, *factor)

    def noted(verb: str) -> Any:
        real = getattr(Adversary, verb)

        def call(*args: Any) -> Any:
            done.append(verb)
            return real(*args)

        return call

    monkeypatch.setattr(Adversary, "__init__", made)
    monkeypatch.setattr(Bench, "step", stepped)
    for verb in ("fool", "learn", "told"):
        monkeypatch.setattr(Adversary, verb, noted(verb))
    job = job_for(places, name, options, schedule={"steps": 10})
    bench, method = bench_for(job, places / "cache"), choose(job, name, options)
    orders = []
    for said in method.module.train(bench, method.options):
        if isinstance(said, dict) and "discriminator" in said:
            orders.append(list(done))
        done.clear()
    assert len(orders) >= 2
    assert all(each == order for each in orders)
