"""Maps of more scenes, from a run's folder alone."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from engines import BANDS, draw, job_for, run_for, work
from worlds import write_raster

from core import signals
from core.errors import BadInput
from core.remap import map_scenes
from core.run import Run


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Path]:
    """A run, and its target's image elsewhere: every image that the run knew of is gone."""
    folder = tmp_path_factory.mktemp("finished")
    draw(folder / "then")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signals, "CROPS", 4)
        run = run_for(job_for(folder / "then", "source_only"), folder / "run")
        work(run)
    (folder / "then" / "target.tif").rename(folder / "target.tif")
    for path in (folder / "then").glob("*.tif"):
        path.unlink()
    return run, folder / "target.tif"


def maps(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.tif")}


def test_the_images_of_the_run_are_not_needed(finished: tuple[Run, Path], tmp_path: Path) -> None:
    run, image = finished
    list(map_scenes(run.folder, [image], tmp_path, "chosen"))
    assert maps(tmp_path) == maps(run.maps / "source-only")
    assert len(maps(tmp_path)) == 2


def test_probabilities_of_a_run_that_made_none(finished: tuple[Run, Path], tmp_path: Path) -> None:
    run, image = finished
    list(map_scenes(run.folder, [image], tmp_path, "chosen", probabilities=True))
    with rasterio.open(tmp_path / "target.probabilities.tif") as file:
        assert file.descriptions == tuple(run.job.legend.names)


def test_bands_are_found_by_name_among_others(finished: tuple[Run, Path], tmp_path: Path) -> None:
    run, image = finished
    with rasterio.open(image) as file:
        values, mask, transform = file.read(), file.dataset_mask() > 0, file.transform
    more = np.concatenate([values[::-1], values[:1] * 3])
    names = [*reversed([name.upper() for name in BANDS]), "haze"]
    write_raster(tmp_path / "target.tif", more, names=names, mask=mask, transform=transform)
    list(map_scenes(run.folder, [tmp_path / "target.tif"], tmp_path / "maps", "source-only"))
    with (
        rasterio.open(tmp_path / "maps/target.class.tif") as got,
        rasterio.open(run.maps / "source-only/target.class.tif") as expected,
    ):
        np.testing.assert_array_equal(got.read(), expected.read())


@pytest.mark.parametrize("names", [BANDS[:3], [*BANDS[:3], "swir"]])
def test_a_scene_without_the_networks_bands_is_refused(
    finished: tuple[Run, Path], tmp_path: Path, names: list[str]
) -> None:
    run, _ = finished
    values = np.ones((len(names), 40, 40), np.uint16)
    image = write_raster(tmp_path / "other.tif", values, names=names)
    with pytest.raises(
        BadInput, match=r"other\.tif: has the bands .*, but the network has blue, green, red, nir"
    ):
        list(map_scenes(run.folder, [image], tmp_path / "maps", "chosen"))
    assert not (tmp_path / "maps").exists()
