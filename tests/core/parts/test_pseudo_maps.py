"""T-BDL-1 and 4: labels of the whole target, on disk, and crops that read them again."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from engines import LEGEND, bench_for, draw, job_for
from maps import Net
from numpy.typing import NDArray

from core.bench import TARGET, Bench
from core.checkpoint import Checkpoint
from core.draws import rng
from core.errors import RunFailed
from core.parts.pseudo_maps import LABELLED, PseudoMaps
from geo_io.legend import IGNORE

PHASE = "retrain 1.1"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Two target scenes, one not mapped, at twice their pixel size; the legend has numbers of its own."""
    draw(tmp_path)
    target = {"name": "there", "scenes": ["target.tif", {"path": "source.tif", "map": False}]}
    classes = [c | {"values": [v]} for c, v in zip(LEGEND["classes"], (2, 0, 1), strict=True)]
    sampling = {"crop_px": 32, "batch": 2, "working_gsd_m": 2.0, "scale_jitter": 1.0, "min_valid": 0.0}
    job = job_for(
        tmp_path, "bdl", target=target, legend={"classes": classes}, sampling=sampling, schedule={"steps": 10}
    )
    return bench_for(job, tmp_path / "cache")


def per_pixel(bench: Bench, sharpness: float = 1.0) -> Any:
    """A network that looks at one pixel at a time: its answer does not depend on where a crop lies."""
    network = Net(len(bench.segmentor.bands), 1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(sharpness)
    return network


def labelled(bench: Bench, network: Any, **options: Any) -> dict[str, dict[str, float]]:
    """Label the target; what is said of each class."""
    list(PseudoMaps(bench, PHASE, **options).make(network))
    found: dict[str, dict[str, float]] = json.loads((folder(bench) / "labels.json").read_text())
    return found


def folder(bench: Bench) -> Path:
    assert bench.folder
    return bench.folder / f"labels to {PHASE}"


def answers(bench: Bench, network: Any) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The classes and confidences of all valid pixels, from passes over whole scenes."""
    domain, each = bench.domains[TARGET], []
    for place in domain.places:
        patch = place.scene.read(place.scene.grid.at_gsd(domain.gsd_m).box, domain.gsd_m)
        values, valid = torch.from_numpy(patch.values.astype(np.float32)), torch.from_numpy(patch.valid)
        with torch.no_grad():
            image = bench._standardise[TARGET](values[None], valid[None])
            sure, label = network(image).logits.softmax(1).max(1)
        each.append((label[0][valid], sure[0][valid]))
    return np.concatenate([a for a, _ in each]), np.concatenate([b for _, b in each])


@pytest.mark.parametrize("sharpness", [1.0, 30.0])
def test_thresholds_are_the_medians_of_all_scenes_below_the_cap(bench: Bench, sharpness: float) -> None:
    network = per_pixel(bench, sharpness)
    found, (label, sure) = labelled(bench, network), answers(bench, network)
    for c, name in enumerate(bench.job.legend.names):
        of_class = np.sort(sure[label == c])
        expected = min(of_class[len(of_class) // 2], 0.9) if len(of_class) else 0.0
        assert found[name]["pixels"] == len(of_class)
        assert found[name]["threshold"] == pytest.approx(expected, abs=1 / 254)
        assert found[name]["kept"] >= 0.5 * (len(of_class) > 0) - 0.02
    surest = max(each["threshold"] for each in found.values())
    assert surest == pytest.approx(0.9) if sharpness > 1 else surest < 0.9


def test_one_threshold_for_all_where_that_is_asked_for(bench: Bench) -> None:
    network = per_pixel(bench)
    found, (_, sure) = labelled(bench, network, threshold="fixed", cap=0.6), answers(bench, network)
    kept = sum(each["kept"] * each["pixels"] for each in found.values())
    assert {each["threshold"] for each in found.values()} == {0.6}
    assert kept / len(sure) == pytest.approx((sure >= 0.6).mean(), abs=0.02)
    assert 0 < kept < len(sure)


def test_crops_read_the_labels_that_the_network_gave_their_pixels(bench: Bench) -> None:
    """T-BDL-4, at another pixel size than the scenes', under a legend with numbers of its own."""
    network = per_pixel(bench)
    found = labelled(bench, network)
    least = np.array([found[name]["threshold"] for name in bench.job.legend.names])
    kept = 0
    for i in range(12):
        sample = bench.domains[LABELLED].draw(rng(1, i))
        batch = bench.batch(LABELLED, [sample])
        with torch.no_grad():
            sure, label = (t[0].numpy() for t in network(batch.image).logits.softmax(1).max(1))
        there = sample.label != IGNORE
        assert not there[~sample.valid].any()
        np.testing.assert_array_equal(sample.label[there], label[there])
        assert (sure[there] >= least[label[there]] - 1 / 254).all()
        assert (sure[~there & sample.valid] <= least[label[~there & sample.valid]] + 1 / 254).all()
        assert torch.equal(batch.weight[0] > 0, torch.from_numpy(there))
        kept += there.sum()
    assert kept


def test_its_crops_are_the_targets_whatever_a_class_covers_of_them(bench: Bench) -> None:
    target = bench.domains[TARGET]
    choosy = target.sampling.model_copy(update={"max_class_share": 0.4})
    bench.domains[TARGET] = replace(target, sampling=choosy)
    labelled(bench, per_pixel(bench))
    for i in range(12):
        drawn = (bench.domains[domain].draw(rng(1, i)) for domain in (TARGET, LABELLED))
        plain, with_labels = (sample.values for sample in drawn)
        np.testing.assert_array_equal(plain, with_labels)


def test_what_is_done_is_loaded_and_never_computed_again(bench: Bench) -> None:
    network = per_pixel(bench)
    straight = labelled(bench, network)
    calls = len(network.batches)
    files = {path.name: path.read_bytes() for path in folder(bench).iterdir()}
    assert sorted(files) == ["labels.json", "source.labels.tif", "target.labels.tif"]
    assert labelled(bench, network) == straight
    assert len(network.batches) == calls


def test_killed_between_scenes_it_goes_on_with_the_next(bench: Bench) -> None:
    network = per_pixel(bench)
    straight = labelled(bench, network)
    all_calls, files = len(network.batches), {p.name: p.read_bytes() for p in folder(bench).iterdir()}
    for path in folder(bench).iterdir():
        path.unlink()
    network.batches.clear()
    killed = PseudoMaps(bench, PHASE).make(network)
    for said in killed:
        if said.what.endswith("target") and said.done == said.total:
            break
    killed.close()  # type: ignore[attr-defined]  # a generator
    assert not (folder(bench) / "labels.json").exists()
    assert labelled(bench, network) == straight
    assert len(network.batches) == all_calls, "the first scene is not predicted again"
    assert {p.name: p.read_bytes() for p in folder(bench).iterdir()} == files


def test_labels_that_are_gone_are_not_made_by_a_network_that_learnt_from_them(bench: Bench) -> None:
    bench.resume = Checkpoint("adapted", PHASE, 1, 1, {})
    with pytest.raises(RunFailed, match="are gone"):
        list(PseudoMaps(bench, PHASE).make(per_pixel(bench)))


def test_a_run_that_is_only_estimated_counts_the_tiles_and_predicts_none(bench: Bench) -> None:
    network, bench.folder = per_pixel(bench), None
    assert list(PseudoMaps(bench, PHASE).make(network)) == []
    assert network.batches == []
    assert bench.left_out_tiles == 2, "48 working pixels are one tile of 64, in each of two scenes"
    assert bench.domains[LABELLED] is bench.domains[TARGET]
