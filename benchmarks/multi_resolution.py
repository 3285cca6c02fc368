"""What a second view of each crop costs (network.multi_resolution): processor time and memory beside one.

    python -m benchmarks.multi_resolution          # some minutes on one core; writes multi_resolution.md

Both are measured in turns in one process, in its own processor seconds, so that a busy machine lengthens the
run but not the result.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor

from core.devices import placed
from core.job import Network
from core.networks.outputs import Batch
from core.networks.segmentor import Segmentor, build_segmentor
from core.parts.losses import cross_entropy

HERE = Path(__file__).parent
BANDS, CLASSES = ("red", "green", "blue", "nir"), 7
NETWORKS: dict[str, dict[str, Any]] = {
    "unet, resnet18": {"decoder": "unet", "encoder": "resnet18"},
    "daformer (64), tu-pvt_v2_b0": {
        "decoder": "daformer",
        "encoder": "tu-pvt_v2_b0",
        "decoder_channels": [64],
    },
}
VIEWS: dict[str, dict[str, Any] | None] = {
    "one": None,
    "two": {},
    "two, not overlapping": {"overlapping": False},
}


def built(options: dict[str, Any], views: dict[str, Any] | None) -> Segmentor:
    network = Network.model_validate({**options, "weights": None, "multi_resolution": views})
    return placed(build_segmentor(network, BANDS, CLASSES)[0], torch.device("cpu"))


def drawn(side: int, batch: int) -> Batch:
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(batch, len(BANDS), side, side, generator=generator)
    label = torch.randint(0, CLASSES, (batch, side, side), generator=generator)
    return Batch(image.contiguous(memory_format=torch.channels_last), label, label + 1.0, label >= 0)


def step(segmentor: Segmentor, batch: Batch) -> None:
    cross_entropy(segmentor.train()(batch.image), batch).backward()


@torch.inference_mode()
def mapped(segmentor: Segmentor, batch: Batch) -> None:
    segmentor.eval()(batch.image)


def seconds(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def held_mib(segmentor: Segmentor, batch: Batch) -> float:
    """What a forward pass in training keeps for the backward pass."""
    held: dict[int, int] = {}

    def count(tensor: Tensor) -> Tensor:
        held[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        kept = cross_entropy(segmentor.train()(batch.image), batch)
    del kept
    return sum(held.values()) / 2**20


def table(name: str, batch: Batch, turns: int) -> list[str]:
    segmentors = {views: built(NETWORKS[name], options) for views, options in VIEWS.items()}
    steps: dict[str, list[float]] = {views: [] for views in VIEWS}
    maps: dict[str, list[float]] = {views: [] for views in VIEWS}
    for turn in range(turns + 1):
        for views, segmentor in segmentors.items():
            taken = seconds(lambda s=segmentor: step(s, batch)), seconds(lambda s=segmentor: mapped(s, batch))
            if turn:  # the first warms up
                steps[views].append(taken[0])
                maps[views].append(taken[1])
    pixels, rows = batch.label.numel() / 1e6, []
    one = {
        "step": median(steps["one"]),
        "map": median(maps["one"]),
        "held": held_mib(segmentors["one"], batch),
    }
    for views, segmentor in segmentors.items():
        step_s, map_s, held = median(steps[views]), median(maps[views]), held_mib(segmentor, batch)
        rows.append(
            f"| {views} | {step_s:.2f} | {step_s / one['step']:.2f} | {held:.0f} | {held / one['held']:.2f} "
            f"| {pixels / map_s:.2f} | {map_s / one['map']:.2f} |"
        )
    head = "| views | CPU s a step | of one | kept for backward, MiB | of one | Mpx a CPU s | time of one |"
    return [f"## {name}\n", head, "|---|---|---|---|---|---|---|", *rows, ""]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--side", type=int, default=256, help="side of a crop in pixels")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--turns", type=int, default=5)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    lines = [
        "# A second view of each crop\n",
        f"A step forth and back on labelled crops, and a pass in evaluation, on {asked.batch} crops of "
        f"{asked.side} px with {len(BANDS)} bands and {CLASSES} classes; medians of {asked.turns} turns, one "
        f"thread, torch {torch.__version__} on a CPU. Scale 2, attention of 256 channels.\n",
    ]
    for name in NETWORKS:
        lines += table(name, drawn(asked.side, asked.batch), asked.turns)
        print(*lines[-6:], sep="\n", flush=True)
    (HERE / "multi_resolution.md").write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
