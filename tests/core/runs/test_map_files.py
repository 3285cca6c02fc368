"""Names of maps: one for each scene, on any file system."""

from pathlib import Path

import pytest

from core.job import SceneFiles
from core.runs.map_files import stems


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["n/a.tif", "s/b.tif"], ["a", "b"]),
        (["n/a.tif", "b.tif", "s/a.tif"], ["a-1", "b", "a-3"]),
        (["n/a.tif", "s/a.tif", "w/a-1.tif"], ["a-2", "a-3", "a-1"]),
        (["n/a.tif", "s/A.tif"], ["a-1", "A-2"]),
    ],
)
def test_no_two_scenes_share_a_name(files: list[str], names: list[str]) -> None:
    assert stems([SceneFiles(path=Path(file)) for file in files]) == names
