"""Maps of more scenes, from a run's folder alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from engines import BANDS, draw, job_for, run_for, work
from worlds import write_raster

from core.errors import BadInput
from core.events import Warned
from core.execution.remap import map_scenes
from core.judging import signals
from core.runs.run import Run


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


def test_more_views_than_the_run_had(finished: tuple[Run, Path], tmp_path: Path) -> None:
    run, image = finished
    list(map_scenes(run.folder, [image], tmp_path, "chosen", test_time_views=8))
    made, before = maps(tmp_path), maps(run.maps / "source-only")
    assert made.keys() == before.keys()
    assert made["target.confidence.tif"] != before["target.confidence.tif"]


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


def like(image: Path, to: Path, factor: float = 1, scale: float = 1, **where: Any) -> Path:
    """The image in other units and elsewhere."""
    with rasterio.open(image) as file:
        values, mask, place = (
            file.read(),
            file.dataset_mask() > 0,
            {"crs": file.crs, "transform": file.transform},
        )
    values = (values * factor).astype("float32" if factor < 1 else values.dtype)
    to.parent.mkdir(exist_ok=True)
    write_raster(to, values, names=BANDS, mask=mask, **place | where)
    if scale != 1:
        with rasterio.open(to, "r+") as file:
            file.scales = [scale] * len(BANDS)
    return to


def warned(run: Run, image: Path, to: Path) -> list[str]:
    return [e.text for e in map_scenes(run.folder, [image], to, "chosen") if isinstance(e, Warned)]


def test_an_ordinary_scene_is_not_warned_of(finished: tuple[Run, Path], tmp_path: Path) -> None:
    run, image = finished
    assert warned(run, image, tmp_path) == []


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"crs": None}, "no coordinate reference system"),
        ({"factor": 1e-4}, "values that the run hardly met, in blue, green, red, nir"),
        (
            {"factor": 2, "scale": 0.5},
            "scale and offset 0.5 and 0, but the run's target scale",
        ),
    ],
)
def test_what_makes_a_map_doubtful_is_said(
    finished: tuple[Run, Path], tmp_path: Path, how: dict[str, Any], said: str
) -> None:
    run, image = finished
    assert any(
        said in text for text in warned(run, like(image, tmp_path / "a.tif", **how), tmp_path / "maps")
    )


def test_swapped_axes_are_refused_before_anything_is_made(finished: tuple[Run, Path], tmp_path: Path) -> None:
    run, image = finished
    swapped = Affine(1e-5, 0, 48, 0, -1e-5, 120)
    turned = like(image, tmp_path / "turned.tif", crs="EPSG:4326", transform=swapped)
    with pytest.raises(BadInput, match=r"turned\.tif: reaches latitude 120: x and y seem to be swapped"):
        list(map_scenes(run.folder, [image, turned], tmp_path / "maps", "chosen"))
    assert not (tmp_path / "maps").exists()


def test_another_images_map_of_that_name_is_kept(finished: tuple[Run, Path], tmp_path: Path) -> None:
    run, image = finished
    one, other = like(image, tmp_path / "n" / "a.tif"), like(image, tmp_path / "s" / "a.tif", factor=2)
    list(map_scenes(run.folder, [one], tmp_path / "maps", "chosen"))
    before = maps(tmp_path / "maps")
    with pytest.raises(BadInput, match=r"a\.class\.tif: is not a map of .*s.a\.tif as it is now"):
        list(map_scenes(run.folder, [other], tmp_path / "maps", "chosen"))
    assert maps(tmp_path / "maps") == before
    list(map_scenes(run.folder, [one], tmp_path / "maps", "chosen", probabilities=True))
    assert len(maps(tmp_path / "maps")) == 3
