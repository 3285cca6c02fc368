"""FCAN's rendered crops: their style, their place on disk, and how they get into a batch."""

from collections.abc import Iterable
from pathlib import Path

import pytest
import torch
from engines import bench_for, draw, job_for
from safetensors.torch import load_file
from torch import Tensor

from core.bench import SOURCE, TARGET, Bench
from core.draws import rng
from core.errors import BadInput
from core.methods import fcan
from core.networks.outputs import Batch
from core.parts import rendering
from core.parts.frozen_encoder import FrozenEncoder
from core.parts.gram import gram_distance, mean_grams
from core.parts.rendering import How, Rendered, restyle
from core.parts.style_translator import content_loss

CROPS = 5
HOW = How(iterations=2, style_weight=1.0, lr=0.05, style_crops=6, start="source")
NOISE = HOW._replace(start="noise")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    draw(tmp_path)
    bench = bench_for(job_for(tmp_path, "fcan"), tmp_path / "cache")
    bench.phase = bench.phases[-1]
    return bench


def render(bench: Bench, crops: int = CROPS, how: How = HOW) -> Rendered:
    rendered = Rendered(bench, crops)
    list(rendered.render(how))
    return rendered


def files(bench: Bench) -> list[Path]:
    assert bench.folder
    return sorted((bench.folder / "rendered").iterdir())


def crop(bench: Bench, domain: str) -> Batch:
    """A batch with some nodata in every crop."""
    batch = bench.batch(domain, [bench.domains[domain].draw(rng(9, domain, i)) for i in range(2)])
    valid = batch.valid.clone()
    valid[:, 20:] = False
    return batch._replace(valid=valid, image=batch.image * valid.unsqueeze(1))


def test_a_restyled_image_is_nearer_to_the_style_in_the_targets_range_and_empty_under_nodata(
    bench: Bench,
) -> None:
    encoder, source = FrozenEncoder(bench), crop(bench, SOURCE)
    style = mean_grams(encoder, [crop(bench, TARGET)])
    made = restyle(bench, encoder, source, source.image, style, HOW._replace(iterations=20))

    def distance(image: Tensor) -> float:
        return float(gram_distance(encoder(image), source.valid, style))

    assert distance(made) < 0.7 * distance(source.image)
    torch.testing.assert_close(made, bench.within(TARGET, made, source.valid), msg="in range, 0 under nodata")
    assert not made.requires_grad


def test_style_of_weight_nought_keeps_the_image(bench: Bench) -> None:
    encoder, source = FrozenEncoder(bench), crop(bench, SOURCE)
    style = mean_grams(encoder, [crop(bench, TARGET)])
    kept = bench.within(TARGET, source.image, source.valid)
    still, moved = (
        restyle(bench, encoder, source, source.image, style, HOW._replace(iterations=5, style_weight=weight))
        for weight in (0.0, 1.0)
    )
    assert (still - kept).abs().mean() < (moved - kept).abs().mean()


@pytest.mark.parametrize(("batch", "crops"), [(2, 5), (4, 5), (1, 3)])
def test_the_style_is_of_as_many_target_crops_as_asked_for_whatever_a_batch_holds(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, batch: int, crops: int
) -> None:
    seen: list[int] = []

    def counted(_: FrozenEncoder, batches: Iterable[Batch]) -> list[Tensor]:
        seen.extend(len(each.image) for each in batches)
        return []

    monkeypatch.setattr(rendering, "mean_grams", counted)
    monkeypatch.setattr(rendering, "restyle", lambda _bench, _describe, source, *_: source.image)
    sampling = bench.job.sampling.model_copy(update={"batch": batch})
    bench.job = bench.job.model_copy(update={"sampling": sampling})
    list(Rendered(bench, 1).render(HOW._replace(style_crops=crops)))
    assert sum(seen) == crops
    assert max(seen) == batch


def test_fcan_hands_its_options_on(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[How] = []
    monkeypatch.setattr(Rendered, "render", lambda _, how: iter(asked.append(how) or ()))
    options = {"iterations": 7, "style_crops": 9, "style_weight": 3.0, "rendering_lr": 0.5, "start": "noise"}
    list(fcan.train(bench, fcan.Options(**options, appearance=0)))
    assert asked == [How(7, 3.0, 0.5, 9, "noise")]


def test_noise_begins_at_random_in_the_targets_range_each_crop_with_its_own(bench: Bench) -> None:
    render(bench, how=NOISE._replace(iterations=0))
    made = [load_file(path) for path in files(bench)]
    images = torch.stack([tensors["image"] for tensors in made])
    valid = torch.stack([tensors["valid"] for tensors in made])
    torch.testing.assert_close(images, bench.within(TARGET, images, valid), msg="in range, 0 under nodata")
    assert abs(float(images.mean())) < 0.1
    assert 0.6 < float(images.std()) < 1.1
    assert images[..., 1:].sub(images[..., :-1]).abs().mean() > 0.6, "neighbours have nothing in common"
    both = (valid[0] & valid[1]).expand_as(images[0])
    assert torch.isclose(images[0], images[1])[both].float().mean() < 0.2, "but for the range's ends"


def test_from_noise_the_content_comes_back(bench: Bench) -> None:
    encoder, source = FrozenEncoder(bench), crop(bench, SOURCE)
    style = mean_grams(encoder, [crop(bench, TARGET)])
    noise = torch.randn(source.image.shape, generator=torch.Generator().manual_seed(0))

    def content(image: Tensor) -> float:
        return float(content_loss(encoder(image)[-1], encoder(source.image)[-1], source.valid))

    made = restyle(bench, encoder, source, noise, style, HOW._replace(iterations=20, style_weight=0.1))
    assert content(made) < 0.9 * content(noise * source.valid.unsqueeze(1))


def test_every_crop_is_written_with_its_labels_and_said(bench: Bench) -> None:
    said = list(Rendered(bench, CROPS).render(HOW))
    assert [(each.done, each.total) for each in said] == [(2, 5), (4, 5), (5, 5)]
    assert len(files(bench)) == CROPS
    first = load_file(files(bench)[0])
    source = bench.batch(
        SOURCE, [bench.domains[SOURCE].draw(rng(bench.job.seed, "crops rendered", SOURCE, 0))]
    )
    assert torch.equal(first["label"].long(), source.label[0])
    assert torch.equal(first["valid"], source.valid[0])
    assert not torch.allclose(first["image"], source.image[0], atol=1e-2)


@pytest.mark.parametrize("how", [HOW, NOISE], ids=["source", "noise"])
def test_a_rendering_cut_short_goes_on_with_what_is_missing_and_ends_with_the_same_crops(
    bench: Bench, how: How
) -> None:
    render(bench, how=how)
    straight = {path: path.read_bytes() for path in files(bench)}
    for path in straight:
        path.unlink()
    worker = Rendered(bench, CROPS).render(how)
    next(worker)
    worker.close()
    there = files(bench)
    assert there == list(straight)[:2]
    times = [path.stat().st_mtime_ns for path in there]
    bench.step_now += 1
    render(bench, how=how)
    assert {path: path.read_bytes() for path in files(bench)} == straight
    assert [path.stat().st_mtime_ns for path in there] == times, "what was there is not drawn again"


def test_rendered_crops_take_the_place_of_a_share_of_the_others(bench: Bench) -> None:
    rendered, source = render(bench), crop(bench, SOURCE)
    assert rendered.swap_in(source, 0.0) is source
    bank = [load_file(path) for path in files(bench)]
    seen = set()
    for bench.step_now in range(30):
        swapped = rendered.swap_in(source, 1.0)
        again = rendered.swap_in(source, 1.0)
        assert all(torch.equal(a, b) for a, b in zip(swapped, again, strict=True)), "a resumed run repeats it"
        seen |= {which(bank, Batch(*(field[i] for field in swapped))) for i in range(2)}
    assert {number for number, _ in seen} == set(range(CROPS))
    assert len({turn for _, turn in seen}) == 8, "in each of the eight orientations"
    some = [rendered.swap_in(source, 0.5) for bench.step_now in range(40)]
    kept = sum(torch.equal(each.image[i], source.image[i]) for each in some for i in range(2))
    assert 20 < kept < 60


def test_rendered_crops_stay_upright_where_crops_do(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered, source = render(bench), crop(bench, SOURCE)
    sampling = bench.job.sampling.model_copy(update={"orientations": "none"})
    monkeypatch.setattr(bench, "job", bench.job.model_copy(update={"sampling": sampling}))
    bank = [load_file(path) for path in files(bench)]
    for bench.step_now in range(10):
        swapped = rendered.swap_in(source, 1.0)
        assert {which(bank, Batch(*(field[i] for field in swapped)))[1] for i in range(2)} == {0}


def which(bank: list[dict[str, Tensor]], drawn: Batch) -> tuple[int, int]:
    """The number of a crop and its orientation, the same of image, label and validity."""
    for number, tensors in enumerate(bank):
        for turn in range(8):
            fields = [torch.rot90(tensors[name], turn % 4, (-2, -1)) for name in ("image", "label", "valid")]
            image, label, valid = (field.flip(-1) if turn >= 4 else field for field in fields)
            if torch.equal(image, drawn.image):
                assert torch.equal(label.long(), drawn.label)
                assert torch.equal(valid, drawn.valid)
                assert torch.equal(drawn.weight, (label != 255).float())
                return number, turn
    raise AssertionError("not of the bank")


@pytest.mark.parametrize("crops", [0, CROPS])
def test_without_crops_or_a_folder_source_crops_stay(bench: Bench, crops: int) -> None:
    if crops:
        bench.folder = None
    rendered, source = render(bench, crops), crop(bench, SOURCE)
    assert rendered.swap_in(source, 1.0) is source
    assert (bench.left_out_tiles > 0) == (crops > 0), "an estimate knows what it left out"


def test_a_damaged_crop_is_named(bench: Bench) -> None:
    rendered = render(bench, 1)
    files(bench)[0].write_bytes(b"nothing")
    with pytest.raises(BadInput, match=r"000000\.safetensors"):
        rendered.swap_in(crop(bench, SOURCE), 1.0)
