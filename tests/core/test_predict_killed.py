"""Maps in a process of their own: killed at any moment, and watched for memory."""

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from maps import predictor_for, scene_of
from worlds import write_raster

from core.mapping.predict import predict_scene
from geo_io.blocks import CACHE
from geo_io.scene import Scene

ROOT = Path(__file__).parents[2]


def map_in_child(image: Path, folder: Path, mode: str, tile_px: int = 64) -> subprocess.Popen[str]:
    """A process that maps `image` and prints a line for each event, and its peak memory (MB) at the end."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    environment = os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "GDAL_CACHEMAX": "4"}
    command = [sys.executable, "-P", __file__, str(image), str(folder), mode, str(tile_px)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def main(image: Path, folder: Path, mode: str, tile_px: int) -> None:
    CACHE.resize(4 * 2**20)
    with Scene.open(image) as scene:
        predictor = predictor_for(scene, side=3, mode=mode, tile_px=tile_px)
        for event in predict_scene(predictor, scene, None, folder, "m", {}):
            print(event.done, flush=True)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, flush=True)


def maps(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.glob("m.*")}


@pytest.mark.parametrize(("mode", "kills"), [("blend", 1), ("crop", 2)])
def test_killed_and_still_the_same_bytes(tmp_path: Path, mode: str, kills: int) -> None:
    image = tmp_path / "i.tif"
    with scene_of(image, 4000, 150) as scene:
        for _ in predict_scene(predictor_for(scene, side=3, mode=mode), scene, None, tmp_path / "a", "m", {}):
            pass
        moments = np.random.default_rng(kills).uniform((2, 0), (12, 0.05), (kills, 2))
        for events, wait in moments:
            child = map_in_child(image, tmp_path / "b", mode)
            assert child.stdout is not None
            with child, child.stdout:
                for _ in range(int(events)):
                    child.stdout.readline()
                time.sleep(wait)
                child.kill()
            assert not list((tmp_path / "b").glob("*.tif"))
        rest = predict_scene(predictor_for(scene, side=3, mode=mode), scene, None, tmp_path / "b", "m", {})
        assert next(rest).done >= 2 * 48
        for _ in rest:
            pass
    assert maps(tmp_path / "b") == maps(tmp_path / "a")


def test_memory_does_not_grow_with_height(tmp_path: Path) -> None:
    """Four times the height is 57 MB of pixels, 9 of validity, 19 of map more: none of it may be held."""
    peaks_mb = []
    for height in (3072, 12288):
        values = np.ones((3, height, 1024), np.uint16)
        tiles = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate"}
        image = write_raster(tmp_path / f"{height}.tif", values, **tiles)
        with map_in_child(image, tmp_path / str(height), "blend", tile_px=256) as child:
            out, _ = child.communicate()
        peaks_mb.append(int(out.splitlines()[-1]))
    assert peaks_mb[1] - peaks_mb[0] < 40, peaks_mb


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
