"""Turning and mirroring, in numpy and in torch."""

import numpy as np
import torch

from core.imagery.orientations import ALL, turn, turn_array, turn_back

MAP = np.arange(2 * 4 * 4).reshape(2, 4, 4)


def test_the_eight_orientations_are_a_group() -> None:
    turned = {turn_array(MAP, number).tobytes() for number in ALL}
    assert len(turned) == 8
    for number in ALL:
        again = {turn_array(turn_array(MAP, number), other).tobytes() for other in ALL}
        assert again == turned, "closed: each turn of a turn is one of the eight"


def test_tensors_are_turned_as_arrays_are_and_back_again() -> None:
    maps = torch.from_numpy(MAP)
    for number in ALL:
        turned = turn(maps, number)
        assert np.array_equal(turned.numpy(), turn_array(MAP, number))
        assert torch.equal(turn_back(turned, number), maps)


def test_two_views_are_mirrored_ones_and_four_are_a_group_too() -> None:
    assert np.array_equal(turn_array(MAP, ALL[1]), MAP[..., ::-1])
    four = {turn_array(MAP, number).tobytes() for number in ALL[:4]}
    assert {turn_array(turn_array(MAP, a), b).tobytes() for a in ALL[:4] for b in ALL[:4]} == four
