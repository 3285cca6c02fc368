"""DAFormer: its decoder, and what its options change."""

from pathlib import Path
from typing import Any

import pytest
import torch
from engines import bench_for, draw, job_for
from torch import Tensor, nn

from core.bench import Bench
from core.job import Network
from core.methods import daformer
from core.networks.daformer import DILATIONS, DAFormer, DAFormerDecoder, branch
from core.networks.segmentor import Segmentor, build_segmentor
from core.registry import choose

BANDS = ["blue", "green", "red", "nir"]
MIT_B5 = [3, 0, 64, 128, 320, 512]


def built(**options: Any) -> Segmentor:
    network = Network.model_validate(
        {"decoder": "daformer", "decoder_channels": [8], "weights": None, **options}
    )
    return build_segmentor(network, BANDS, classes=5)[0]


def test_published_size() -> None:
    """3.7 million parameters with MiT-B5's channels and 19 classes, as in the paper."""
    with torch.device("meta"):
        assert sum(p.numel() for p in DAFormerDecoder(MIT_B5, 19, 256).parameters()) == 3_712_275


@pytest.mark.parametrize("depth", [3, 4, None])
@pytest.mark.parametrize("encoder", ["tu-pvt_v2_b0", "mit_b0", "resnet18", "tu-mobilenetv1_100"])
def test_any_encoder_of_any_depth_bands_and_size(encoder: str, depth: int | None) -> None:
    segmentor = built(encoder=encoder, encoder_depth=depth)
    out = segmentor(torch.randn(2, 4, 70, 101))
    stages = 1 + (depth or 5)
    assert out.logits.shape == (2, 5, 70, 101)
    assert len(out.stages) == stages
    assert out.features is out.stages[-1]
    assert out.features.shape[1] == segmentor.feature_channels
    assert isinstance(segmentor.body, DAFormer)
    assert segmentor.body.decoder.fused == list(range(2, stages))


def test_its_width_is_the_jobs_or_the_papers() -> None:
    for widths, width in (([24], 24), (None, 256)):
        body = built(encoder="tu-pvt_v2_b0", decoder_channels=widths).body
        assert isinstance(body, DAFormer)
        assert {conv.out_channels for conv in body.decoder.embed} == {width}
        assert body.decoder.classifier.in_channels == width


def test_each_branch_reaches_as_far_as_its_dilation() -> None:
    impulse = torch.zeros(1, 1, 41, 41)
    impulse[..., 20, 20] = 1
    for dilation in DILATIONS:
        field = branch(1, 1, dilation).eval()
        for module in field.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.ones_(module.weight)
        reach = (-dilation, 0, dilation) if dilation > 1 else (0,)
        found = {(int(y) - 20, int(x) - 20) for y, x in field(impulse)[0, 0].nonzero()}
        assert found == {(y, x) for y in reach for x in reach}


def test_every_part_of_it_is_trained_its_batch_norms_too() -> None:
    segmentor = built(encoder="resnet18", encoder_depth=3)
    segmentor(torch.randn(2, 4, 64, 64)).logits.square().sum().backward()
    assert isinstance(segmentor.body, DAFormer)
    norms = [m for m in segmentor.body.decoder.modules() if isinstance(m, nn.BatchNorm2d)]
    assert len(norms) == 1 + 2 * 3 + 1
    assert {p for norm in norms for p in norm.parameters()} < set(segmentor.head_parameters())
    assert all(p.grad is not None and p.grad.any() for p in segmentor.head_parameters())


def test_logits_are_enlarged_from_the_middles_of_cells() -> None:
    """align_corners=False: cell i stands for pixels 4i to 4i + 3, its value for their middle."""

    class Ramp(nn.Module):
        def forward(self, _: list[Tensor]) -> Tensor:
            return torch.arange(16.0).expand(1, 1, 16, 16)

    body = DAFormer(nn.Identity(), MIT_B5, 1, 8)
    body.decoder = Ramp()  # type: ignore[assignment]  # all that is asked of a decoder
    out = body(torch.zeros(1, 1, 64, 64))
    expected = (torch.arange(64) + 0.5) / 4 - 0.5
    assert torch.allclose(out.logits[0, 0, 5], expected.clamp(0, 15))


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("places")
    draw(folder)
    return folder


def trained(places: Path, **options: Any) -> tuple[Bench, list[dict[str, Tensor]]]:
    job = job_for(places, "daformer", options, schedule={"steps": 2})
    bench = bench_for(job, places / "cache")
    method = choose(job, "daformer", options)
    return bench, list(method.module.train(bench, method.options))  # type: ignore[arg-type]  # losses alone


def test_without_a_warm_start_it_adapts_from_the_first_step(places: Path) -> None:
    bench, losses = trained(places, warm_share=0.0)
    assert [(phase.name, phase.steps) for phase in bench.phases] == [("adapt", 2)]
    assert all("self_taught" in each for each in losses)


def test_trust_is_the_share_of_pixels_that_reach_the_threshold(places: Path) -> None:
    _, [everything, _] = trained(places, warm_share=0.0, threshold=0.0)
    _, [nothing, _] = trained(places, warm_share=0.0, threshold=1.0)
    assert everything["trusted"] > 0.8, "all but nodata"
    assert nothing["trusted"] == 0


def test_teacher_or_student_makes_the_map(places: Path) -> None:
    student, teacher = (trained(places, use=use)[0] for use in ("student", "teacher"))
    assert student.mapper is student.segmentor
    assert teacher.mapper is not teacher.segmentor


def test_the_warm_start_is_shared_with_source_only() -> None:
    warm, adapt = daformer.phases(daformer.Options(), 1000)
    assert (warm.name, warm.horizon, adapt.start) == ("source", 1000, warm.steps)
