"""ADVENT, the method: what its discriminator sees, and what both of its variants need of the network."""

from pathlib import Path

import pytest
import torch
from engines import bench_for, draw, job_for
from torch import Tensor

from core.errors import BadInput
from core.networks.discriminator import Discriminator
from core.networks.outputs import Outputs
from core.networks.segmentor import Segmentor
from core.parts.losses import self_information
from core.registry import choose


def test_the_discriminator_sees_the_self_information_of_every_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T-ADV-5: of the target's prediction to fool it; of the source's and of the target's to teach it."""
    said, seen = list[Tensor](), list[Tensor]()
    forward, judge = Segmentor.forward, Discriminator.forward

    def forwarded(network: Segmentor, image: Tensor) -> Outputs:
        outputs = forward(network, image)
        said.append(outputs.logits.detach())
        return outputs

    def judged(network: Discriminator, maps: Tensor) -> Tensor:
        seen.append(maps.detach())
        return judge(network, maps)

    draw(tmp_path)
    job = job_for(tmp_path, "advent")
    bench, chosen = bench_for(job, tmp_path / "cache"), choose(job, "advent", {})
    monkeypatch.setattr(Segmentor, "forward", forwarded)
    monkeypatch.setattr(Discriminator, "forward", judged)
    next(chosen.module.train(bench, chosen.options))
    source, target = said
    for logits, maps in zip((target, source, target), seen, strict=True):
        data = maps.any(1, keepdim=True)
        assert data.float().mean() > 0.5, "all but nodata"
        assert torch.equal(maps, self_information(logits.softmax(1)) * data)


@pytest.mark.parametrize("variant", ["advent", "minent"])
def test_a_second_level_needs_an_auxiliary_head(variant: str, tmp_path: Path) -> None:
    draw(tmp_path)
    job = job_for(tmp_path, "advent", {"variant": variant, "levels": "multi"})
    chosen = choose(job, "advent", job.method.options)
    with pytest.raises(BadInput, match="deeplabv2"):
        next(chosen.module.train(bench_for(job, tmp_path / "cache"), chosen.options))
