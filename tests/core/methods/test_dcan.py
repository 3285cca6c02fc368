"""DCAN, the method: what is aligned while it learns, and that nothing is once it is done."""

from itertools import pairwise
from pathlib import Path

import pytest
import torch
from engines import assert_equal_weights, bench_for, copied, job_for

from core.bench import Bench
from core.methods import dcan, source_only
from core.networks.segmentor import Segmentor, encoder_of
from core.parts import style_translator
from core.phases import rate


def trained(places: Path, **options: float) -> tuple[Bench, list[dict[str, float]]]:
    bench = bench_for(job_for(places, "dcan", options, schedule={"steps": 10}), places / "cache")
    said = dcan.train(bench, dcan.Options.model_validate(options))
    return bench, [{name: float(loss) for name, loss in losses.items()} for losses in said]


def test_its_phases_use_every_step_once_and_begin_with_the_source_only_models() -> None:
    source, translate, adapt = dcan.phases(dcan.Options(warm_share=0.5, translate_share=0.3), 1000)
    assert (source.steps, translate.steps, adapt.steps) == (500, 150, 350)
    assert (source.start, source.horizon) == (0, 1000)


@pytest.mark.parametrize("steps", [3, 100, 2001])
@pytest.mark.parametrize(("warm", "translate"), [(0.5, 0.3), (0.9, 0.9), (0.3, 0.0), (0.0, 0.3)])
def test_the_rate_goes_on_after_the_generator_where_it_was_and_falls_to_nought(
    warm: float, translate: float, steps: int
) -> None:
    options = dcan.Options(warm_share=warm, translate_share=translate)
    source, _, adapt = dcan.phases(options, steps)
    rates = [
        rate(phase.start + step, phase.horizon or 1, warmup=0, power=1)
        for phase in (source, adapt)
        for step in range(phase.steps)
    ]
    falls = [before - after for before, after in pairwise([*rates, 0.0])]
    a_step = 1 / min(adapt.horizon or steps, steps)
    assert rates[0] == 1
    assert min(falls) >= 0
    assert max(falls) <= 1.5 * a_step


def test_with_nothing_to_align_it_is_source_only_training(places: Path) -> None:
    off = {"translate_share": 0.0, "feature_strength": 0.0}
    plain = bench_for(job_for(places, "source_only", schedule={"steps": 10}), places / "cache")
    expected = [float(losses["supervised"]) for losses in source_only.train(plain, source_only.Options())]
    _, said = trained(places, **off)
    assert [losses["supervised"] for losses in said[:5]] == expected[:5]
    _, translated = trained(places, translate_share=0.2, feature_strength=0.0)
    _, aligned = trained(places, translate_share=0.0, feature_strength=1.0)
    assert aligned[5]["supervised"] != said[5]["supervised"]
    assert translated[-1]["supervised"] != said[-1]["supervised"]


def test_alignment_is_off_between_steps_and_after_the_last(places: Path) -> None:
    bench = bench_for(job_for(places, "dcan", schedule={"steps": 10}), places / "cache")
    for _ in dcan.train(bench, dcan.Options()):
        assert not encoder_of(bench.segmentor.body)._forward_hooks


def test_looking_at_the_target_moves_no_running_statistics_and_leaves_the_source_to_batch_statistics(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[bool] = []
    features = Segmentor.features

    def watched(network: Segmentor, image: torch.Tensor) -> torch.Tensor:
        before = copied(network)
        found = features(network, image)
        assert_equal_weights(before, dict(network.state_dict()))
        looked.append(network.training)
        return found

    monkeypatch.setattr(Segmentor, "features", watched)
    bench, _ = trained(places, translate_share=0.0)
    assert looked == 5 * [False]
    assert all(module.training for module in bench.segmentor.modules())


def test_the_segmentor_learns_the_sources_labels_on_crops_in_the_targets_look(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, taken = [], []
    to_target = style_translator.StyleTranslator.to_target

    def noted(self, source, target):  # type: ignore[no-untyped-def]  # as the real one
        made = to_target(self, source, target)
        given.append((source, made))
        return made

    def cross_entropy(outputs, batch):  # type: ignore[no-untyped-def]  # as the real one
        taken.append(batch)
        return torch.nn.functional.cross_entropy(outputs.logits, batch.label, ignore_index=255)

    monkeypatch.setattr(style_translator.StyleTranslator, "to_target", noted)
    monkeypatch.setattr(dcan, "cross_entropy", cross_entropy)
    trained(places)
    assert len(given) == 3
    for (source, made), batch in zip(given, taken[-3:], strict=True):
        assert batch is made
        assert torch.equal(made.label, source.label)
        assert not torch.allclose(made.image, source.image)
