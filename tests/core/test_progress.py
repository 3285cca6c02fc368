"""What is left of work that is counted: by its pace since it began."""

from core.events import Progressed
from core.progress import Progress


def test_the_same_count_of_another_part_begins_anew() -> None:
    progress = Progress()
    for time, done in ((10.0, 1), (12.0, 2), (20.0, 1), (23.0, 1), (24.0, 2)):
        progress.fold(Progressed(what="reading the classes", done=done, total=6, time=time))
    assert progress.work_seconds_left == 4
