"""Every option of every method does what it can: it changes what is learnt. Read from `core/methods/`: a new
method or option is tested unasked.

Each method is trained for a few steps with the options of `BASE`, and again with one of them changed: bit for
bit, other weights must come of it. What can be nought, as the weight of a loss, is also changed to that.
"""

import copy
import hashlib
from collections.abc import Iterable, Iterator
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

import pytest
from engines import NARROW, bench_for, draw, encoder_weights, tiny
from pydantic import ValidationError
from torch import Tensor

from core.bench import Bench
from core.job import Job, dump_job
from core.registry import choose, load, names

pytestmark = pytest.mark.usefixtures("few_crops")

Given = dict[str, Any]

CLASSES = ["water", "field", "town"]
SMALL = {**NARROW, "pool": 1}
UNSURE = {"threshold": 0.45}
"""A confidence that a network of three classes that knows next to nothing has here and lacks there."""
KEEPING = {"feature_classes": CLASSES, "feature_distance": 0.1}

BASE: dict[str, Given] = {
    "adabn": {"batches": 2},
    "adaptsegnet": {"levels": "multi"},
    "advent": {"levels": "multi"},
    "bdl": SMALL,
    "combined": {"adabn": "always", "adabn_batches": 2, "confidence_quantile": 0.5},
    "cycada": {**SMALL, "gate": 0.0},
    "cyclegan": SMALL,
    "dacs": UNSURE,
    "daformer": {**UNSURE, **KEEPING},
    "fcan": {"iterations": 4},
    "fda": {"rounds": 1},
    "mic": {**UNSURE, **KEEPING},
    "uda_rs": {**UNSURE, "class_ratio": None},
}
"""What options are changed from where not from the defaults: with those some would have nothing to act on in
so few steps, or cost much."""

PREDICTIONS_AND_FEATURES: list[Given] = [{}, {"space": "features", "levels": "single"}]
MIXED_AND_HIDDEN: list[Given] = [
    {"masked": 0.0, "teacher_norm": "batch"},  # or what only passes by tells by the teacher's statistics
    {"self_training": 0.0, "teacher_norm": "batch"},
]
HOSTS: dict[tuple[str, str], list[Given]] = {
    ("adaptsegnet", "space"): [{"levels": "single"}],  # there is no other of features
    ("adaptsegnet", "adversarial"): PREDICTIONS_AND_FEATURES,
    ("adaptsegnet", "discriminator_lr"): PREDICTIONS_AND_FEATURES,
    ("adaptsegnet", "gan"): PREDICTIONS_AND_FEATURES,
    ("advent", "weight"): [{}, {"variant": "minent"}],
    ("advent", "weight_aux"): [{}, {"variant": "minent"}],
    ("bdl", "adversarial"): [{}, {"restart": True}],
    ("bdl", "discriminator_lr"): [{}, {"restart": True}],
    ("cycada", "adversarial"): [{}, {"level": "output"}],
    ("cycada", "discriminator_lr"): [{}, {"level": "output"}],
    ("dcan", "statistics"): [{"feature_strength": 0.0}, {"translate_share": 0.0}],  # of images, of features
    ("mic", "blur"): MIXED_AND_HIDDEN,
    ("mic", "jitter"): MIXED_AND_HIDDEN,
}
"""What is added to the base for an option that acts in several places, to see it act in each."""

VALUES: dict[str, list[Any]] = {
    "adabn": ["no"],  # `gated` does what one of the others does: tests/core/parts/test_statistics_gate.py
    "betas": [[0.1], [0.0, 0.1]],
    "confidence_cap": [0.34],  # whatever three classes are predicted with, it is more
    "feature_classes": [["town"], []],
}
"""Other values of an option where its type does not tell them."""

STEPS = {
    "pool": 4,  # a discriminator learns an old image, a generator from it, and the other from that
    "teacher_norm": 3,  # a teacher's first update is a copy, its second an average, with which it then labels
}
"""Least steps of a phase for options that act late; two for the others."""


ONLY_STATISTICS = {"adabn"}
"""Methods that change the running statistics of batch norms and no weight. Of the others those are not
compared: they tell of crops that a network sees, even if it learns nothing from them."""


class Change(NamedTuple):
    """An option to be changed from what it is in `base`."""

    name: str
    option: str
    value: Any
    base: Given

    def __str__(self) -> str:
        usual = BASE.get(self.name, {})
        given = [f"{key}={value}" for key, value in self.base.items() if usual.get(key) != value]
        return " ".join([self.name, self.option, str(self.value), *given])


def changes(name: str) -> Iterator[Change]:
    """What is to be changed of a method."""
    for option in load(name).Options.model_fields:
        for host in HOSTS.get((name, option), [{}]):
            base = BASE.get(name, {}) | host
            found = VALUES.get(option) or list(others(name, option, base))
            assert found, f"{name}: say in VALUES what else {option} may be"
            yield from (Change(name, option, value, base) for value in found)


def others(name: str, option: str, base: Given) -> Iterator[Any]:
    """Other values of an option, of each kind that it may have: of a choice all, else one, and nought."""
    options = load(name).Options
    field, now = options.model_fields[option], getattr(options(**base), option)
    for kind in kinds(field.annotation):
        candidates = [each for each in like(kind, now) if each != now]
        legal = [each for each in candidates if allowed(name, base | {option: each})]
        yield from legal if get_origin(kind) is Literal else legal[:1]
        if kind is float and now and allowed(name, base | {option: 0.0}):
            yield 0.0


def kinds(annotation: Any) -> tuple[Any, ...]:
    """The alternatives of a union, or what is none as its only one."""
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)


def like(kind: Any, now: Any) -> list[Any]:
    """Values of a kind, those that are tried first first."""
    if get_origin(kind) is Literal:
        return list(get_args(kind))
    if kind is bool:
        return [not now]
    if kind is int:
        return [now // 2, now * 2, now + 1] if now else [1]
    if kind is float:
        return [now / 2, now * 2] if now else [1.0, 2.0]
    return [None] if kind is NoneType else []


def allowed(name: str, options: Given) -> bool:
    try:
        load(name).Options(**options)
    except ValidationError:
        return False
    return True


class Trainings:
    """What comes of training methods, each time from the same weights on the same places."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self.folders, self.places = folders, folders.mktemp("places")
        draw(self.places)
        self.pretrained = encoder_weights(self.places)
        self.benches: dict[str, Bench] = {}
        self.known: dict[str, str] = {}

    def once(self, job: Job) -> str:
        """A digest of the weights that make the map; what is known already is not trained again."""
        asked = dump_job(job)
        if asked not in self.known:
            self.known[asked] = self.again(job)
        return self.known[asked]

    def again(self, job: Job) -> str:
        method, bench = choose(job, job.method.name, job.method.options), self._bench(job)
        for _ in method.module.train(bench, method.options):
            pass
        network = bench.mapper
        return digest(network.buffers() if method.name in ONLY_STATISTICS else network.parameters())

    def job(self, name: str, options: Given, *others: Given, least: int = 2) -> Job:
        return tiny(self.places, name, options, *others, least=least, weights=self.pretrained)

    def _bench(self, job: Job) -> Bench:
        """As `bench_for` makes it, without building a network and measuring the places each time."""
        kind = job.network.decoder
        if kind not in self.benches:
            self.benches[kind] = bench_for(job, self.places / kind)
        first, method = self.benches[kind], choose(job, job.method.name, job.method.options)
        network, folder = copy.deepcopy(first.segmentor), self.folders.mktemp("phase")
        return Bench(job, first.fabric, network, first.domains, method.phases, folder=folder)


@pytest.fixture(scope="module")
def trainings(tmp_path_factory: pytest.TempPathFactory) -> Trainings:
    return Trainings(tmp_path_factory)


def digest(tensors: Iterable[Tensor]) -> str:
    """Of every bit of them."""
    known = hashlib.blake2b()
    for tensor in tensors:
        known.update(tensor.detach().numpy().tobytes())
    return known.hexdigest()


def grouped(name: str) -> pytest.MarkDecorator:
    """A method's tests are on one worker, for its base is trained once."""
    return pytest.mark.xdist_group(f"options of {name}")


@pytest.mark.parametrize(
    "change",
    [pytest.param(change, marks=grouped(name)) for name in names() for change in changes(name)],
    ids=str,
)
def test_an_option_changes_what_is_learnt(change: Change, trainings: Trainings) -> None:
    name, option, value, base = change
    changed, least = base | {option: value}, STEPS.get(option, 2)
    before = trainings.once(trainings.job(name, base, changed, least=least))
    assert trainings.once(trainings.job(name, changed, base, least=least)) != before


@pytest.mark.parametrize("name", [pytest.param(name, marks=grouped(name)) for name in names()])
def test_the_same_options_teach_the_same(name: str, trainings: Trainings) -> None:
    job = trainings.job(name, BASE.get(name, {}))
    assert trainings.again(job) == trainings.once(job)


def test_the_tables_here_name_what_is_there() -> None:
    options = {name: load(name).Options.model_fields.keys() for name in names()}
    assert set(BASE) <= options.keys()
    assert all(option in options[name] for name, option in HOSTS)
    assert {*VALUES, *STEPS} <= {option for each in options.values() for option in each}
