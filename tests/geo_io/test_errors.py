"""What an error says, and that it reaches the parent of a worker process as it was."""

import pickle

from geo_io.errors import BadInput


def test_bad_input_is_one_line_and_survives_pickling() -> None:
    fault = BadInput("a b.tif", "is\nbroken", "mend it")
    again = pickle.loads(pickle.dumps(fault))
    assert str(again) == str(fault) == "a b.tif: is broken; mend it"
    assert (again.culprit, again.problem, again.remedy) == ("a b.tif", "is\nbroken", "mend it")
