"""What bfloat16 and the memory layout are worth on a processor, by its instructions (schedule.precision).

    python -m benchmarks.precision          # some minutes on one core; writes precision.md

A processor with AMX is also measured as if it had none, by oneDNN's own switch, in a process for each. The
variants of a network are measured in turns in one process, in its own processor seconds.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

import torch

from benchmarks.multi_resolution import BANDS, CLASSES, drawn, mapped, seconds, step
from core.devices import faster_in_bf16, placed
from core.job import Network
from core.networks.segmentor import Segmentor, build_segmentor

HERE = Path(__file__).parent
NETWORKS = {
    "unet, mobilenetv1": "tu-mobilenetv1_100",
    "unet, resnet18": "resnet18",
    "unet, pvt_v2_b2": "tu-pvt_v2_b2",
}
INSTRUCTIONS = {"AMX": "DEFAULT", "AVX-512 with bfloat16": "AVX512_CORE_BF16", "AVX-512": "AVX512_CORE"}
PLAIN = "float32, channels first"
VARIANTS = {PLAIN: (None, False), "float32": (None, True), "bfloat16": (torch.bfloat16, True)}
"""Name -> what the network computes in, and whether it is laid out as `core.devices.placed` does."""


def built(encoder: str, precision: torch.dtype | None, laid_out: bool) -> Segmentor:
    segmentor, _ = build_segmentor(Network(decoder="unet", encoder=encoder, weights=None), BANDS, CLASSES)
    segmentor.precision = precision
    return placed(segmentor, torch.device("cpu")) if laid_out else segmentor


def measure(encoder: str, turns: int) -> dict[str, tuple[float, float]]:
    """Variant -> CPU seconds of a training step and of a tile in evaluation."""
    torch.set_num_threads(1)
    crops, tile = drawn(128, 8), drawn(512, 1)
    plain = [each._replace(image=each.image.contiguous()) for each in (crops, tile)]
    segmentors = {name: built(encoder, *options) for name, options in VARIANTS.items()}
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in VARIANTS}
    for turn in range(turns + 1):
        for name, segmentor in segmentors.items():
            seen, there = plain if name == PLAIN else (crops, tile)
            both = (
                seconds(lambda s=segmentor, b=seen: step(s, b)),
                seconds(lambda s=segmentor, b=there: mapped(s, b)),
            )
            if turn:  # the first warms up
                taken[name].append(both)
    return {name: (median(a for a, _ in each), median(b for _, b in each)) for name, each in taken.items()}


def in_child(encoder: str, instructions: str, turns: int) -> dict[str, tuple[float, float]]:
    command = [sys.executable, "-m", "benchmarks.precision", "--child", encoder, "--turns", str(turns)]
    there = os.environ | {"ONEDNN_MAX_CPU_ISA": instructions}
    done = subprocess.run(command, capture_output=True, text=True, env=there, cwd=HERE.parent, check=True)
    found: dict[str, tuple[float, float]] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        print(json.dumps(measure(asked.child, asked.turns)))
        return
    if not faster_in_bf16(torch.device("cpu")):
        parser.error("this processor has no AMX: the table would lack what it is for")
    lines = [
        "# bfloat16 on a processor\n",
        f"`python -m benchmarks.precision`; {torch.cpu.get_capabilities()['cpu_name']}, one thread, torch "
        f"{torch.__version__}. CPU seconds, medians of {asked.turns} turns: a training step on 8 crops of "
        f"128 px, and a tile of 512 px in evaluation, {len(BANDS)} bands, {CLASSES} classes. In brackets: of "
        "float32's in the layout that Isthmus uses, with the same instructions.\n",
        f"| network | instructions | | {' | '.join(VARIANTS)} |",
        "|---" * (3 + len(VARIANTS)) + "|",
    ]
    for network, encoder in NETWORKS.items():
        for name, instructions in INSTRUCTIONS.items():
            found = in_child(encoder, instructions, asked.turns)
            for i, what in enumerate(("training", "mapping")):
                cells = [f"{each[i]:.2f} ({each[i] / found['float32'][i]:.2f})" for each in found.values()]
                lines.append(f"| {network} | {name} | {what} | {' | '.join(cells)} |")
                print(lines[-1], flush=True)
    (HERE / "precision.md").write_text("\n".join([*lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
