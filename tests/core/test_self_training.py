"""T-EMA, T-AUG, T-MASK in the methods: whom the teacher follows, what it sees, and what it teaches."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from engines import bench_for, draw, job_for
from torch import Tensor, nn

from core.bench import SOURCE, TARGET, Bench
from core.methods import combined, mic, uda_rs
from core.networks.outputs import Batch, Outputs
from core.networks.segmentor import Segmentor
from core.parts.teacher import Teacher
from core.registry import choose

STRAIGHT = {"warm_share": 0.0}
SURE = {**STRAIGHT, "threshold": 0.0}
EVERY = pytest.mark.parametrize(
    ("name", "options"),
    [
        ("combined", {**STRAIGHT, "adabn": "no"}),
        *((name, STRAIGHT) for name in ("daformer", "dacs", "mic", "uda_rs")),
    ],
)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("places")
    draw(folder)
    return folder


def train(
    places: Path, name: str, options: dict[str, Any], steps: int = 2, **sampling: int
) -> list[dict[str, Tensor]]:
    job = job_for(places, name, options, schedule={"steps": steps}, sampling=sampling)
    method = choose(job, name, options)
    return list(method.module.train(bench_for(job, places / "cache"), method.options))  # type: ignore[arg-type]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Batch]:
    """The target batches of each step, as they were drawn."""
    seen: list[Batch] = []
    steps = Bench.steps

    def watched(
        bench: Bench, name: str, domains: Sequence[str] = (SOURCE, TARGET)
    ) -> Iterator[tuple[Batch, ...]]:
        for batches in steps(bench, name, domains):
            seen.append(batches[-1]._replace(image=batches[-1].image.clone()))
            yield batches

    monkeypatch.setattr(Bench, "steps", watched)
    return seen


def test_combined_learns_source_crops_of_the_targets_means_and_mixes_those(
    places: Path, drawn: list[Batch], monkeypatch: pytest.MonkeyPatch
) -> None:
    pasted: list[Batch] = []
    mix = combined.class_mix

    def watched(source: Batch, target: Batch, *more: Any) -> Batch:
        pasted.append(source)
        return mix(source, target, *more)

    monkeypatch.setattr(combined, "class_mix", watched)
    seen: list[Tensor] = []
    forward = Segmentor.forward

    def forwarded(network: Segmentor, image: Tensor) -> Outputs:
        if network.training:
            seen.append(image)
        return forward(network, image)

    monkeypatch.setattr(Segmentor, "forward", forwarded)
    options = {"warm_share": 0.0, "adabn": "no"}
    train(places, "combined", options, steps=1)
    plain, drawn_before = pasted.pop(), drawn.pop()
    seen.clear()
    train(places, "combined", options | {"target_means": True}, steps=1)
    swapped, target = pasted.pop(), drawn.pop()
    assert torch.equal(drawn_before.image, target.image)
    assert torch.equal(seen[0], swapped.image)
    assert torch.equal(swapped.label, plain.label)
    theirs, ours, before = (mean_of(batch) for batch in (target, swapped, plain))
    assert torch.allclose(ours, theirs, atol=1e-4)
    assert not torch.allclose(before, theirs, atol=0.05)


def mean_of(batch: Batch) -> Tensor:
    """(b, c): each band's mean over the valid pixels of a crop."""
    return batch.image.sum((2, 3)) / batch.valid.sum((1, 2)).unsqueeze(1)


@EVERY
def test_the_teacher_is_the_mean_of_the_student_after_each_of_the_first_steps(
    name: str, options: dict[str, Any], places: Path
) -> None:
    """T-EMA-1: until the momentum is reached."""
    job = job_for(places, name, options, schedule={"steps": 3})
    bench, method = bench_for(job, places / "cache"), choose(job, name, options)
    students, teachers = list[Tensor](), list[Tensor]()
    for _ in method.module.train(bench, method.options):
        students.append(numbers(bench.segmentor))
        teachers.append(numbers(bench.mapper))
    assert all((a - b).abs().max() > 1e-3 for a, b in pairwise(students))
    for n, teacher in enumerate(teachers, 1):
        assert torch.allclose(teacher, torch.stack(students[:n]).mean(0), atol=1e-6)


def numbers(network: nn.Module) -> Tensor:
    """Every parameter, in one row."""
    return torch.cat([p.detach().flatten() for p in network.parameters()])


@EVERY
def test_the_teacher_labels_crops_as_they_were_drawn(
    name: str, options: dict[str, Any], places: Path, drawn: list[Batch], monkeypatch: pytest.MonkeyPatch
) -> None:
    labelled: list[Tensor] = []
    label = Teacher.probabilities

    def watched(teacher: Teacher, image: Tensor) -> Tensor:
        labelled.append(image.clone())
        return label(teacher, image)

    monkeypatch.setattr(Teacher, "probabilities", watched)
    train(places, name, options)
    assert len(labelled) == 2
    assert all(torch.equal(a, b.image) for a, b in zip(labelled, drawn, strict=True))


def taught(module: Any, monkeypatch: pytest.MonkeyPatch) -> list[Batch]:
    """The batches that a method's cross-entropies are taken on."""
    seen: list[Batch] = []
    loss = module.cross_entropy

    def watched(outputs: Outputs, batch: Batch, **how: Any) -> Tensor:
        seen.append(batch)
        return loss(outputs, batch, **how)  # type: ignore[no-any-return]

    monkeypatch.setattr(module, "cross_entropy", watched)
    return seen


def test_masking_hides_the_image_from_the_student_and_leaves_the_labels(
    places: Path, drawn: list[Batch], monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = {}
    for ratio in (0.0, 1.0):
        batches = taught(mic, monkeypatch)
        options = {**SURE, "mask_ratio": ratio, "jitter": 0.0, "blur": 0.0}
        train(places, "mic", options, steps=1)
        *_, hidden[ratio] = batches
    assert torch.equal(hidden[0.0].image, drawn[0].image), "nothing hidden is plain consistency"
    assert hidden[1.0].image.abs().max() == 0
    assert torch.equal(hidden[0.0].label, hidden[1.0].label)
    assert torch.equal(hidden[0.0].weight, hidden[1.0].weight)
    assert torch.equal(hidden[1.0].label != 255, drawn[0].valid)


def test_the_masked_loss_teaches(places: Path) -> None:
    with_it, without = (train(places, "mic", {**SURE, "masked": weight})[-1] for weight in (1.0, 0.0))
    assert with_it["masked"] > 0
    assert without["masked"] == 0
    assert with_it["supervised"] != without["supervised"]


def test_dacs_averages_the_source_loss_over_labelled_pixels_whatever_the_mixed_one(tmp_path: Path) -> None:
    draw(tmp_path)
    labelled, every = (
        train(tmp_path, "dacs", {**STRAIGHT, "mean_over": which}, steps=1, crop_px=64, batch=4)[0]
        for which in ("labelled", "all")
    )
    assert labelled["supervised"] == every["supervised"]
    assert labelled["self_taught"] > every["self_taught"]


def test_class_weights_are_of_the_source_loss_and_never_of_pasted_pixels(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = taught(uda_rs, monkeypatch)
    train(places, "uda_rs", {**STRAIGHT, "threshold": 1.0}, steps=1)
    source, mixed = batches
    weights = source.weight[source.label != 255]
    assert not torch.allclose(weights, torch.ones_like(weights))
    assert set(mixed.weight.unique().tolist()) == {0.0, 1.0}, "no target pixel is sure, pasted ones are"
