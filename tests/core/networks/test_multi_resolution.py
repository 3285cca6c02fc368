"""T-HR-1 to T-HR-6: two views of a crop, their fusion, and the boxes and windows of the near one."""

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from engines import draw, job_for
from torch import Tensor, nn

from core.checks.preflight import inspect
from core.execution import estimate as estimating
from core.job import MultiResolution, Network
from core.networks.deeplabv2 import DeepLabV2
from core.networks.multi_resolution import Level, MultiResolutionBody, averaged, fuse, windows
from core.networks.outputs import Batch, Outputs
from core.networks.segmentor import Segmentor, build_segmentor
from core.parts.losses import cross_entropy, pixel_cross_entropy
from core.parts.teacher import Teacher
from core.variants import parse_settings, with_settings

BANDS = ["blue", "green", "red", "nir"]
TINY = {"encoder": "resnet18", "encoder_depth": 3, "decoder_channels": [16, 8, 8], "weights": None}
DEEPLAB = {"decoder": "deeplabv2", "encoder": "tu-mobilenetv3_small_050", "weights": None}
HOLLOW = {"decoder": "segformer", "encoder": "tu-pvt_v2_b0", "weights": None}
"""An encoder whose second stage has no channels."""


def noise(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def up(maps: Tensor, scale: int = 2) -> Tensor:
    return F.interpolate(maps, scale_factor=scale, mode="bilinear", align_corners=False)


def segmentor(options: dict[str, Any] | None = None, **views: Any) -> Segmentor:
    content = {**(options or TINY), "multi_resolution": {"attention_width": 16, **views}}
    return build_segmentor(Network.model_validate(content), BANDS, classes=5)[0]


class Looking(nn.Module):
    """A body that answers with two bands of the image, and notes what it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[Tensor] = []

    def forward(self, image: Tensor) -> Outputs:
        self.shown.append(image)
        answer = image[:, :2]
        return Outputs(answer, [answer], image, [image])


def looking(**views: Any) -> tuple[MultiResolutionBody, list[Tensor]]:
    body, options = Looking(), MultiResolution.model_validate({"attention": "fixed", **views})
    return MultiResolutionBody(body, options, 2, [Level(0, 3, 4)], 32), body.shown


@pytest.mark.parametrize("attention", [0.5, torch.full((1, 1, 4, 4), 0.5), torch.full((2, 3, 2, 2), 0.5)])
def test_equal_shares_over_the_whole_give_the_mean_of_both_views(attention: Tensor | float) -> None:
    """T-HR-1, at any size of the attention."""
    context, detail = noise(2, 3, 4, 4), noise(2, 3, 8, 8, seed=2)
    torch.testing.assert_close(fuse(context, attention, detail, (0, 0, 8, 8), 2), (up(context) + detail) / 2)


@pytest.mark.parametrize("scale", [2, 4])
def test_the_detail_has_its_share_inside_the_box_and_none_outside(scale: int) -> None:
    """T-HR-2: but for the seam of half a coarse cell on either side of the box's edges."""
    context, detail = noise(2, 3, 6, 6), noise(2, 3, 3 * scale, 3 * scale, seed=2)
    box, far, seam = (0, scale, 3 * scale, 3 * scale), up(context, scale), scale // 2
    assert torch.equal(fuse(context, torch.zeros(2, 3, 6, 6), detail, box, scale), far)
    fused = fuse(context, torch.ones(2, 3, 6, 6), detail, box, scale)
    rows, ends = slice(None, 3 * scale - seam), slice(seam, 3 * scale - seam)
    torch.testing.assert_close(fused[..., rows, scale:][..., ends], detail[..., rows, ends])
    for outside in (
        (..., slice(3 * scale + seam, None), slice(None)),
        (..., slice(None), slice(4 * scale + seam, None)),
        (..., slice(None), slice(None, scale - seam)),
    ):
        torch.testing.assert_close(fused[outside], far[outside])


def test_windows_cover_an_image_and_what_they_say_is_averaged_by_count() -> None:
    """T-HR-3: 9 windows, counted 1, 2 and 4 times; T-HR-4: cutting and inserting is exact."""
    boxes = windows(16, 24, 2, overlapping=True)
    assert len(boxes) == len(windows(1024, 1024, 2, overlapping=True)) == 9
    assert {box[2:] for box in boxes} == {(8, 12)}
    count = torch.zeros(16, 24)
    for top, left, h, w in boxes:
        count[top : top + h, left : left + w] += 1
    assert count[::4, ::6].tolist() == [[1, 2, 2, 1], [2, 4, 4, 2], [2, 4, 4, 2], [1, 2, 2, 1]]
    image = noise(2, 3, 16, 24)
    pieces = torch.stack([image[..., t : t + h, left : left + w] for t, left, h, w in boxes])
    assert torch.equal(averaged(pieces, boxes, 16, 24), image)
    assert windows(16, 24, 2, overlapping=False) == [(t, left, 8, 12) for t in (0, 8) for left in (0, 12)]
    assert [len(windows(64, 64, 4, overlapping)) for overlapping in (True, False)] == [49, 16]


def test_boxes_lie_on_whole_cells_and_reach_every_edge() -> None:
    """T-HR-4: offsets are multiples of scale x stride, both extremes included."""
    body, _ = looking()
    assert (body.unit_px, body.multiple_px) == (8, 64)
    torch.manual_seed(0)
    drawn = [body._random_box(64, 128) for _ in range(400)]
    assert {box[0] for box in drawn} == set(range(0, 33, 8))
    assert {box[1] for box in drawn} == set(range(0, 65, 8))
    assert {box[2:] for box in drawn} == {(32, 64)}


def test_in_training_both_views_are_seen_once_and_the_near_one_is_a_part_of_the_image() -> None:
    body, shown = looking()
    image = noise(2, 3, 64, 128)
    out = body.train()(image)
    far, near = shown
    assert far.shape == near.shape == (2, 3, 32, 64)
    assert out.detail
    top, left, h, w = out.detail.box
    assert torch.equal(near, image[..., top : top + h, left : left + w])
    assert out.detail.weight == 0.1
    assert out.features is far
    torch.testing.assert_close(out.heads[0], up(far[:, :2]))
    torch.testing.assert_close(far.mean(), image.mean(), atol=0.01, rtol=0)


@pytest.mark.parametrize(("overlapping", "count"), [(True, 9), (False, 4)])
def test_in_evaluation_the_near_view_is_everywhere(overlapping: bool, count: int) -> None:
    body, shown = looking(overlapping=overlapping)
    image = noise(2, 3, 64, 128)
    out = body.eval()(image)
    far, near = shown
    assert near.shape == (2 * count, 3, 32, 64)
    assert out.detail is None
    torch.testing.assert_close(out.logits, (up(far[:, :2]) + image[:, :2]) / 2)


def test_no_box_is_remembered() -> None:
    """T-HR-6: a forward pass depends on the image and torch's generator, not on the pass before."""
    body, _ = looking()
    image = noise(1, 3, 128, 128)
    before = body.eval()(image).logits
    torch.manual_seed(3)
    first = body.train()(image)
    assert len({body.train()(image).detail.box for _ in range(8)}) > 4
    assert torch.equal(body.eval()(image).logits, before)
    torch.manual_seed(3)
    assert body.train()(image).detail.box == first.detail.box


def test_the_detail_is_taught_by_its_part_of_the_label_and_all_shares_sum_to_one() -> None:
    """T-HR-5."""
    network = segmentor(detail_weight=0.3).train()
    image, label = noise(2, 4, 64, 64), torch.randint(0, 5, (2, 64, 64))
    weight = torch.rand(2, 64, 64)
    out = network(image)
    top, left, h, w = out.detail.box
    part = (slice(None), slice(top, top + h), slice(left, left + w))
    expected = 0.7 * pixel_cross_entropy(out.logits, label, weight)
    expected = expected + 0.3 * pixel_cross_entropy(out.detail.logits, label[part], weight[part])
    found = cross_entropy(out, Batch(image, label, weight, label >= 0))
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(("options", "scale"), [(TINY, 2), (TINY, 4), (DEEPLAB, 2), (HOLLOW, 2)])
def test_a_segmentor_takes_images_of_any_size(options: dict[str, Any], scale: int) -> None:
    network, image = segmentor(options, scale=scale), noise(2, 4, 70, 101)
    for mode in (True, False):
        out = network.train(mode)(image)
        assert out.logits.shape == (2, 5, 70, 101)
        assert all(head.shape == (2, 5, 70, 101) for head in out.heads)
        assert len(out.heads) == (options is DEEPLAB)
        assert (out.detail is not None) == mode
    assert torch.equal(network.features(image), out.features)
    stride = int(network.body.encoder.output_stride)  # type: ignore[arg-type]  # an int of smp's
    continued = -(-101 // network.multiple_px) * network.multiple_px
    assert out.features.shape[-1] == continued // scale // stride


def test_a_box_beyond_the_image_is_cut_to_what_is_seen() -> None:
    network = segmentor(scale=4).train()
    for seed in range(4):
        torch.manual_seed(seed)
        out = network(noise(2, 4, 40, 40))
        top, left, h, w = out.detail.box
        assert (
            out.detail.logits.shape[-2:] == (h, w) == (max(min(16, 40 - top), 0), max(min(16, 40 - left), 0))
        )
        label = torch.zeros(2, 40, 40, dtype=torch.long)
        assert torch.isfinite(cross_entropy(out, Batch(out.logits, label, label + 1.0, label == 0)))


def test_what_is_within_begins_as_it_does_alone() -> None:
    alone = build_segmentor(Network.model_validate(TINY), BANDS, classes=5)[0].body.state_dict()
    views = segmentor().body
    within = views.body.state_dict()
    assert all(torch.equal(alone[name], within[name]) for name in alone)
    assert len(within) == len(alone) < len(views.state_dict())


@pytest.mark.parametrize(("attention", "maps"), [("classwise", 5), ("single", 1), ("fixed", 0)])
def test_every_parameter_is_in_one_group_and_learns(attention: str, maps: int) -> None:
    network = segmentor(DEEPLAB, attention=attention)
    assert isinstance(network.body, MultiResolutionBody)
    assert (network.body.attention.classifier.out_channels if network.body.attention else 0) == maps
    image, label = noise(2, 4, 64, 64), torch.randint(0, 5, (2, 64, 64))
    batch = Batch(image, label, torch.ones(2, 64, 64), label >= 0)
    cross_entropy(network(image), batch, heads=0.1).backward()
    grouped = [*network.encoder_parameters(), *network.head_parameters()]
    assert len(grouped) == len(set(grouped))
    assert set(grouped) == {p for p in network.parameters() if p.grad is not None}
    assert isinstance(network.body.body, DeepLabV2)
    norms = [m for m in network.body.encoder.modules() if isinstance(m, nn.BatchNorm2d)]
    assert norms
    assert not {p for norm in norms for p in norm.parameters()} & set(grouped)


def test_fusion_is_in_full_precision_whatever_the_network_computes_in() -> None:
    network = segmentor(DEEPLAB)
    network.precision = torch.bfloat16
    for mode in (True, False):
        out = network.train(mode)(noise(1, 4, 64, 64))
        assert out.features.dtype == torch.bfloat16
        assert {out.logits.dtype, *(head.dtype for head in out.heads)} == {torch.float32}


def test_a_teacher_sees_the_near_view_everywhere_whatever_its_norms_do() -> None:
    student = segmentor().train()
    teacher, image = Teacher(student, 0.9, "batch"), noise(2, 4, 64, 64)
    torch.manual_seed(0)
    first = teacher.probabilities(image)
    torch.manual_seed(1)
    assert torch.equal(teacher.probabilities(image), first)
    assert student.training


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        ({"network.multi_resolution": {}}, "sampling.crop_px: leaves 16 px to each view"),
        (
            {"network.multi_resolution": {"scale": 4}, "sampling.crop_px": 128},
            "predict.tile_px: leaves 16 px to each view",
        ),
    ],
)
def test_views_that_are_too_small_are_a_fault(settings: dict[str, Any], where: str, tmp_path: Path) -> None:
    draw(tmp_path)
    job = job_for(tmp_path)
    found = inspect(with_settings(job, settings, tmp_path)).faults
    assert [fault.text.partition(" of network")[0] for fault in found] == [where]
    assert found[0].remedy == f"take at least {128 if 'scale' in str(settings) else 64}"


def test_one_setting_on_the_command_line_puts_it_in_use(tmp_path: Path) -> None:
    draw(tmp_path)
    job = job_for(tmp_path)
    assert job.network.multi_resolution is None
    whole = with_settings(job, parse_settings(["network.multi_resolution={}"]), tmp_path)
    assert whole.network.multi_resolution == MultiResolution()
    single = with_settings(job, parse_settings(["network.multi_resolution.attention=fixed"]), tmp_path)
    assert single.network.multi_resolution == MultiResolution(attention="fixed")


def test_steps_are_tried_on_crops_that_the_views_do_not_blow_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(tmp_path)
    tried: list[int] = []

    def fake(trial: estimating._Trial, steps: int) -> dict[str, float]:  # noqa: ARG001  # as the real one
        tried.append(trial.job.sampling.crop_px)
        return {"source": 1.0}

    monkeypatch.setattr(estimating, "BUDGET_S", 0.0)
    monkeypatch.setattr(estimating._Trial, "_tried", fake)
    views = {"multi_resolution": {"scale": 4, "attention_width": 8}, "encoder_depth": 5}
    job = job_for(
        tmp_path,
        "source_only",
        network={**views, "decoder_channels": [8, 8, 8, 8, 8]},
        sampling={"crop_px": 512},
        predict={"tile_px": 128},
    )
    estimating.estimate(job, tmp_path / "new")
    assert tried == [128, 256]
