import pytest

from geo_io.bands import natural_colours


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (("blue", "green", "red", "nir"), ("red", "green", "blue")),
        (("B02", "B03", "B04", "B08"), ("B04", "B03", "B02")),
        (("R", "G", "B"), ("R", "G", "B")),
        (("band1", "band2", "band3", "band4"), ("band1", "band2", "band3")),
        (("red", "green"), ("red",)),
        (("pan",), ("pan",)),
    ],
)
def test_natural_colours(names: tuple[str, ...], shown: tuple[str, ...]) -> None:
    assert natural_colours(names) == shown
