"""Time and memory of an optimisation step: beside AdaptSegNet's own training loop, and of our networks.

    python -m benchmarks.steps FOLDER            # writes steps.md
    python -m benchmarks.steps FOLDER --steps 9 --crop 321 --threads 1

FOLDER holds clones of the authors' AdaptSegNet and HRDA (see benchmarks.authors). Both loops train on the CPU
on drawn crops: theirs is made of their network and discriminators in a loop that does what their script does
in an iteration, ours is the method as a run drives it. For time the two take steps in turn in one process,
so that whatever else the machine does slows both; for memory each has a process of its own. What was measured
lies in results/steps.jsonl, and a rerun does what is missing there.
"""

import argparse
import json
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.authors.adaptsegnet_training import Loop, adaptsegnet_job
from benchmarks.authors.clones import Clones
from benchmarks.authors.resolutions import Fusion, Sliding
from benchmarks.authors.world import batch, bench_for, job, normal
from benchmarks.multi_resolution import seconds
from core.networks.segmentor import Segmentor

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "steps.jsonl"
SHARED = "CPU seconds are the process's own; on a shared machine wall seconds hold what else ran.\n"
CLASSES, LONG = 19, 250_000
"""As many classes and steps as theirs; few of the steps are taken."""
HRDA_TURNS = 15
FUSION, SLIDING = "fusion within a box, forth and back", "nine sliding windows, averaged"
NETWORKS = [
    (encoder, decoder)
    for encoder in ("tu-pvt_v2_b2", "mit_b2", "resnet101")
    for decoder in ("segformer", "daformer")
]


def ours(crop: int) -> Iterator[object]:
    bench, chosen = bench_for(adaptsegnet_job(LONG, crop, "resnet101", CLASSES))
    return iter(chosen.module.train(bench, chosen.options))


def theirs(crop: int, folder: Path) -> Iterator[object]:
    loop = Loop(Clones(folder), CLASSES, LONG, once=False).losses()
    next(loop)
    given = [(batch(1, crop, CLASSES, 2 * n), batch(1, crop, CLASSES, 2 * n + 1)) for n in range(4)]
    return (loop.send(given[n % len(given)]) for n in range(LONG))


def timed(steps: Iterator[object]) -> tuple[float, float]:
    """Wall and CPU seconds of the next step."""
    wall, cpu = time.perf_counter(), time.process_time()
    next(steps)
    return time.perf_counter() - wall, time.process_time() - cpu


def peak_mb() -> float:
    """The process's own; getrusage's begins with that of the process it was started from."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) / 1024


# What a child process measures, printed as JSON.


def pace(asked: argparse.Namespace) -> dict[str, Any]:
    """Seconds of each step of both loops, taken in turn, the first of each left out."""
    loops = {"ours": ours(asked.crop), "theirs": theirs(asked.crop, asked.folder)}
    for loop in loops.values():
        next(loop)
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in loops}
    for n in range(asked.steps):
        for name in list(loops) if n % 2 else reversed(loops):
            taken[name].append(timed(loops[name]))
            print(name, *taken[name][-1], file=sys.stderr, flush=True)
    return taken


def memory(asked: argparse.Namespace) -> dict[str, Any]:
    """Peak before the networks are built, and after two steps: the second has the optimisers' state."""
    before = peak_mb()
    loop = ours(asked.crop) if asked.child[1] == "ours" else theirs(asked.crop, asked.folder)
    for _ in range(2):
        next(loop)
    return {"before_mb": before, "peak_mb": peak_mb()}


def network(asked: argparse.Namespace) -> dict[str, Any]:
    """Source-only steps of one of our networks, the first left out."""
    encoder, decoder = asked.child[1:]
    before = peak_mb()
    made = job(
        "source_only",
        CLASSES,
        network={"encoder": encoder, "decoder": decoder},
        schedule={"steps": LONG},
        sampling={"crop_px": 256},
    )
    bench, chosen = bench_for(made)
    steps = iter(chosen.module.train(bench, chosen.options))
    next(steps)
    cpu_s = median(timed(steps)[1] for _ in range(asked.steps))
    return {**_shape(bench.segmentor), "cpu_s": cpu_s, "before_mb": before, "peak_mb": peak_mb()}


def hrda(asked: argparse.Namespace) -> dict[str, Any]:
    """CPU seconds of HRDA's parts on a crop of 1024 px at stride 4, ours and theirs in turn, the first left
    out; of fusion with the backward pass."""
    clones = Clones(asked.folder)
    fusion = Fusion(clones, normal(2, CLASSES, 128, 128, seed=2), (256, 512, 512, 512), CLASSES)
    for each in (fusion.context, fusion.detail, fusion.attention):
        each.requires_grad_()
    light = nn.Conv2d(3, CLASSES, 4, 4)  # so that what stands around the network counts
    sliding = Sliding(clones, light, normal(2, 3, 1024, 1024), CLASSES)

    def with_gradient(work: Callable[[], Tensor]) -> None:
        work().sum().backward()

    works: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        FUSION: (partial(with_gradient, fusion.ours), partial(with_gradient, fusion.theirs)),
        SLIDING: (torch.no_grad()(sliding.ours), torch.no_grad()(sliding.theirs)),
    }
    found: dict[str, dict[str, list[float]]] = {}
    for what, both in works.items():
        turns = [[seconds(work) for work in both] for _ in range(HRDA_TURNS + 1)][1:]
        found[what] = dict(zip(("ours", "theirs"), map(list, zip(*turns, strict=True)), strict=True))
    return found


def _shape(segmentor: Segmentor) -> dict[str, Any]:
    """Parameters in millions, and what stages the encoder has: channels at stride."""
    parts = {"encoder": segmentor.encoder_parameters(), "head": segmentor.head_parameters()}
    segmentor.eval()
    with torch.no_grad():
        stages = segmentor(torch.zeros(1, 3, 64, 64)).stages
    named = [f"{s.shape[1]} at {64 // s.shape[-1]}" for s in stages if s.shape[1] > 3]
    return {**{name: sum(p.numel() for p in ps) / 1e6 for name, ps in parts.items()}, "stages": named}


CHILDREN = {"pace": pace, "memory": memory, "network": network, "hrda": hrda}


def child(asked: argparse.Namespace, *what: str) -> Any:
    """What a process of its own measures, or has measured. Raises CalledProcessError where it fails."""
    key = " ".join([*what, *(["crop", str(asked.crop)] if what[0] != "network" else [])])
    known = [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []
    if found := next((k["found"] for k in known if (k["what"], k["threads"]) == (key, asked.threads)), None):
        return found
    options = ["--steps", str(asked.steps), "--crop", str(asked.crop), "--threads", str(asked.threads)]
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.steps", str(asked.folder), *options]
    done = subprocess.run(
        [*command, "--child", *what], stdout=subprocess.PIPE, text=True, cwd=HERE.parent, check=True
    )
    found = json.loads(done.stdout.splitlines()[-1])
    with RESULTS.open("a") as file:
        file.write(json.dumps({"what": key, "threads": asked.threads, "found": found}) + "\n")
    print(key, flush=True)
    return found


def loops_table(asked: argparse.Namespace) -> list[str]:
    taken = child(asked, "pace")
    peaks = {name: child(asked, "memory", name) for name in ("ours", "theirs")}
    ratios = [
        [mine[kind] / its[kind] for mine, its in zip(taken["ours"], taken["theirs"], strict=True)]
        for kind in (0, 1)
    ]
    lines = [
        "## AdaptSegNet beside its authors' loop\n",
        f"DeepLabV2-ResNet-101, two levels, BCE, {CLASSES} classes, crop {asked.crop}, batch 1, threads: "
        f"{asked.threads}; medians of {len(taken['ours'])} steps of each, taken in turn; AdaptSegNet "
        f"at commit `{Clones(asked.folder).commit('AdaptSegNet')}`. The ratio is the median of the pairs', "
        "its range in brackets. Memory of the work is the peak over what importing took.\n",
        "| | wall s a step | CPU s a step | peak MB | of that the work, MB |",
        "|---|---|---|---|---|",
    ]
    for name, said in (("ours", "Isthmus, `adaptsegnet`"), ("theirs", "the authors' modules")):
        wall, cpu = (median(step[kind] for step in taken[name]) for kind in (0, 1))
        peak, work = peaks[name]["peak_mb"], peaks[name]["peak_mb"] - peaks[name]["before_mb"]
        lines.append(f"| {said} | {wall:.2f} | {cpu:.2f} | {peak:.0f} | {work:.0f} |")
    both = [f"**{median(r):.2f}** ({min(r):.2f} to {max(r):.2f})" for r in ratios]
    mine, its = peaks["ours"], peaks["theirs"]
    whole = mine["peak_mb"] / its["peak_mb"]
    work = (mine["peak_mb"] - mine["before_mb"]) / (its["peak_mb"] - its["before_mb"])
    return [*lines, f"| ours / theirs | {both[0]} | {both[1]} | **{whole:.2f}** | **{work:.2f}** |", ""]


def hrda_table(asked: argparse.Namespace) -> list[str]:
    lines = [
        "## HRDA's parts beside its authors' modules\n",
        f"What needs no mmcv of HRDA at commit `{Clones(asked.folder).commit('HRDA')}`, on the logits of two "
        f"crops of 1024 px at stride 4, {CLASSES} classes, threads: {asked.threads}; medians of {HRDA_TURNS} "
        "turns, and the ratio's range. Their networks need mmcv, so whole steps are ours alone "
        "([two resolutions beside one](multi_resolution.md)).\n",
        "| | ours, CPU s | theirs, CPU s | ours / theirs |",
        "|---|---|---|---|",
    ]
    for what, found in child(asked, "hrda").items():
        ratios = [a / b for a, b in zip(found["ours"], found["theirs"], strict=True)]
        lines.append(
            f"| {what} | {median(found['ours']):.3f} | {median(found['theirs']):.3f} "
            f"| **{median(ratios):.2f}** ({min(ratios):.2f} to {max(ratios):.2f}) |"
        )
    return [*lines, ""]


def networks_table(asked: argparse.Namespace) -> list[str]:
    lines = [
        "## Networks\n",
        f"A source-only step, {CLASSES} classes, crop 256, batch 1, three bands, threads: {asked.threads}, "
        "without pretrained weights (they change neither shape nor cost). No claim about accuracy.\n",
        "| encoder | decoder | encoder, M parameters | rest, M | stages: channels at stride "
        "| CPU s a step | work, MB |",
        "|---|---|---|---|---|---|---|",
    ]
    for encoder, decoder in NETWORKS:
        r = child(asked, "network", encoder, decoder)
        lines.append(
            f"| {encoder} | {decoder} | {r['encoder']:.1f} | {r['head']:.1f} | {', '.join(r['stages'])} "
            f"| {r['cpu_s']:.2f} | {r['peak_mb'] - r['before_mb']:.0f} |"
        )
    return lines


def machine() -> str:
    found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    return f"{found[1] if found else platform.machine()}, torch {torch.__version__}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=lambda path: Path(path).resolve())
    parser.add_argument("--steps", type=int, default=7, help="steps of either loop that are timed")
    parser.add_argument("--crop", type=int, default=321, help="side of a crop beside the authors' loop")
    parser.add_argument("--threads", type=int, default=1, help="torch's threads")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    if asked.child:
        print(json.dumps(CHILDREN[asked.child[0]](asked)))
        return
    head = ["# A step of training\n", f"`python -m benchmarks.steps FOLDER` on {machine()}.", SHARED]
    lines = [*head, *loops_table(asked), *hrda_table(asked), *networks_table(asked)]
    (HERE / "steps.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
