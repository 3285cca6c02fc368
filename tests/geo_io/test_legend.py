"""What the classes of a legend are called in label files."""

import pytest
from pydantic import ValidationError

from geo_io.legend import LandClass, Legend, own_values


def legend(*names: str, **listed: list[int | str]) -> Legend:
    return Legend(classes=[LandClass(name=n, color="#000000", values=listed.get(n, [])) for n in names])


def test_without_values_a_class_is_called_by_its_position_and_its_name() -> None:
    ids = legend("Water", "field").class_ids()
    assert ids == {255: 255, 0: 0, "water": 0, 1: 1, "field": 1}


def test_a_number_for_a_name_is_the_value_not_the_position() -> None:
    assert legend("1", "2", "3").class_ids() == {255: 255, 1: 0, 2: 1, 3: 2}
    assert legend("field", "0").class_ids() == {255: 255, "field": 0, 0: 1}


def test_names_that_are_numbers_are_told_where_they_are_not_the_position() -> None:
    assert legend("1", "2", "field").numbered == {1: "1", 2: "2"}
    assert legend("0", "1").numbered == {}
    assert legend("water", "field").numbered == {}
    assert Legend(classes=[LandClass(name=n, color="#000000", values=[int(n)]) for n in "12"]).numbered == {}


@pytest.mark.parametrize(
    ("names", "listed", "said"),
    [
        (("Water", "water"), {}, "'water' belongs to both 'Water' and 'water'"),
        (("a", "b"), {"a": ["B"]}, "'b' belongs to both 'a' and 'b'"),
        (("a", "b"), {"a": [1]}, "value 1 belongs to both 'a' and 'b'"),
        (("a", "b"), {"a": ["1"], "b": [1]}, "value 1 belongs to both 'a' and 'b'"),
    ],
)
def test_a_value_of_two_classes_is_refused_however_it_came_to_them(
    names: tuple[str, ...], listed: dict[str, list[int | str]], said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        legend(*names, **listed)


def test_own_values_may_be_written_out() -> None:
    names = ("water", "7", "field", "0")
    written = own_values([(name, []) for name in names])
    assert written == [["water"], ["7"], [2, "field"], ["0"]]
    assert legend(*names, **dict(zip(names, written, strict=True))).class_ids() == legend(*names).class_ids()
