"""ADVENT, the method: what both of its variants need of the network."""

from pathlib import Path

import pytest
from engines import bench_for, draw, job_for

from core.errors import BadInput
from core.registry import choose


@pytest.mark.parametrize("variant", ["advent", "minent"])
def test_a_second_level_needs_an_auxiliary_head(variant: str, tmp_path: Path) -> None:
    draw(tmp_path)
    job = job_for(tmp_path, "advent", {"variant": variant, "levels": "multi"})
    chosen = choose(job, "advent", job.method.options)
    with pytest.raises(BadInput, match="deeplabv2"):
        next(chosen.module.train(bench_for(job, tmp_path / "cache"), chosen.options))
