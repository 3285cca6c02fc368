"""Signals on places so small that no window lies outside of what is held out."""

from pathlib import Path

import pytest
from engines import bench_for, draw, job_for

from core.bench import SOURCE
from core.signals import source_shares


def test_where_every_cell_touches_the_held_out_part_shares_are_equal(tmp_path: Path) -> None:
    draw(tmp_path)
    bench = bench_for(job_for(tmp_path, "source_only", sampling={"crop_px": 64}), tmp_path / "cache")
    assert not bench.domains[SOURCE].class_pixels.any()
    assert source_shares(bench) == pytest.approx([1 / 3] * 3)


def test_elsewhere_they_are_those_of_the_labels(tmp_path: Path) -> None:
    draw(tmp_path)
    bench = bench_for(job_for(tmp_path, "source_only"), tmp_path / "cache")
    pixels = bench.domains[SOURCE].class_pixels
    assert source_shares(bench) == pytest.approx(list(pixels / pixels.sum()))
    assert pixels.min() > 0
