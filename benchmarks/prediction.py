"""How fast a map is made, in how much memory, and what binds it: against a bare network and against peers.

    python -m benchmarks.prediction                # 6144 px, three networks; writes prediction.md
    python -m benchmarks.prediction --size 1536 --networks light
    python -m benchmarks.prediction --heights      # peak memory at 1, 2 and 4 times the height

Every variant runs in a process of its own. Peers are measured where they can be imported, from a
folder on PYTHONPATH: monai 1.6.1 needs nothing more; geoai-py 0.40.1 imports requests, matplotlib,
xarray, rioxarray and leafmap too, though `predict_geotiff` uses none of them.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from benchmarks.mappers import ALONE, BANDS, BATCH, CLASSES, OVERLAP, PEERS, TILE, VARIANTS, draw
from geo_io.blocks import CACHE

HERE = Path(__file__).parent


def measure(variant: str, name: str, image: Path, threads: int) -> None:
    """The child: prints wall and process seconds of the work and the process's peak memory."""
    torch.set_num_threads(threads)
    CACHE.resize(64 * 2**20)
    with tempfile.TemporaryDirectory(dir=image.parent) as out:
        work = VARIANTS[variant](name, image, Path(out))
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"wall_s": wall, "cpu_s": cpu, "peak_mb": peak / 1024}))


def in_child(variant: str, name: str, image: Path, threads: int) -> dict[str, float]:
    """What `measure` prints. Raises ChildProcessError with the last line of a child that failed."""
    child = ["--child", variant, name, str(image), "--threads", str(threads)]
    command = [sys.executable, "-m", "benchmarks.prediction", *child]
    done = subprocess.run(command, capture_output=True, text=True, cwd=HERE.parent, check=False)
    if done.returncode:
        raise ChildProcessError(f"{variant}: {done.stderr.strip().splitlines()[-1]}")
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def speed_table(name: str, image: Path, size: int, threads: int) -> list[str]:
    """One network's table, and what binds it."""
    lines = [
        f"## {name}, {size} x {size} px\n",
        "| variant | wall s | CPU s | forward-only CPU over its CPU | Mpx / wall s | peak MB |",
        "|---|---|---|---|---|---|",
    ]
    results = {}
    for variant in VARIANTS:
        try:
            r = results[variant] = in_child(variant, name, image, threads)
        except ChildProcessError as fault:
            if variant not in PEERS:
                raise
            lines.append(f"| {variant} | not measured: {fault} | | | | |")
            continue
        share = "" if variant in ALONE else f"{results['forward only']['cpu_s'] / r['cpu_s']:.0%}"
        wall_s, rate = r["wall_s"], size * size / 1e6 / r["wall_s"]
        lines.append(
            f"| {variant} | {wall_s:.1f} | {r['cpu_s']:.1f} | {share} | {rate:.1f} | {r['peak_mb']:.0f} |"
        )
        print(lines[-1], flush=True)
    binding = max(("forward only", *ALONE), key=lambda v: results[v]["cpu_s"])
    return [*lines, f"\nThe binding limit is: {binding}.\n"]


def heights_table(name: str, work: Path, size: int, threads: int) -> list[str]:
    lines = [
        f"## Peak memory by height, {name}, {size} px wide\n",
        "| height px | peak MB | wall s |",
        "|---|---|---|",
    ]
    for height in (size, 2 * size, 4 * size):
        image = drawn(work, height, size)
        r = in_child("isthmus blend", name, image, threads)
        lines.append(f"| {height} | {r['peak_mb']:.0f} | {r['wall_s']:.1f} |")
        print(lines[-1], flush=True)
    return [*lines, ""]


def drawn(work: Path, height: int, width: int) -> Path:
    image = work / f"{height}x{width}.tif"
    if not image.exists():
        draw(image, height, width)
    return image


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", type=int, default=6144, help="side of the image in pixels")
    parser.add_argument("--networks", nargs="+", default=["light", "fpn/tu-mobilenetv1_100", "unet/resnet18"])
    parser.add_argument("--threads", type=int, default=2, help="torch's threads")
    parser.add_argument("--heights", action="store_true", help="measure peak memory at three heights instead")
    parser.add_argument("--out", type=Path, help="the table; default: prediction.md or heights.md here")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        variant, name, image = asked.child
        measure(variant, name, Path(image), asked.threads)
        return
    work = HERE / "work"
    work.mkdir(exist_ok=True)
    lines = [
        "# Making a map\n",
        f"{BANDS} bands uint16 DEFLATE, {CLASSES} classes, tiles of {TILE} px, overlap {OVERLAP} px, "
        f"batch {BATCH}, {asked.threads} threads, torch {torch.__version__} on a CPU. CPU seconds are the "
        "process's own, imports left out; Isthmus writes a confidence raster too, the peers do not.\n",
    ]
    for name in asked.networks:
        print(name, flush=True)
        if asked.heights:
            lines += heights_table(name, work, asked.size, asked.threads)
        else:
            lines += speed_table(name, drawn(work, asked.size, asked.size), asked.size, asked.threads)
    out = asked.out or HERE / ("heights.md" if asked.heights else "prediction.md")
    out.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
