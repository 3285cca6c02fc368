"""What stands behind a sentence: a trace, or all that the engine wrote. No Qt here.

Signals and slots carry the sentence alone; whoever shows it finds here what to unfold. The log holds it too.
"""

import logging
from threading import Lock

MOST = 50
_behind: dict[str, str] = {}
_lock = Lock()


def keep(sentence: str, details: str) -> str:
    """The sentence, its details kept and logged; nothing is, where they say no more than it does."""
    told = details.strip().removeprefix("error: ")
    if told and told != sentence:
        logging.getLogger(__name__).error("%s\n%s", sentence, details.strip())
        with _lock:
            _behind.pop(sentence, None)
            _behind[sentence] = details.strip()
            while len(_behind) > MOST:
                del _behind[next(iter(_behind))]
    return sentence


def details_of(sentence: str) -> str:
    """What was kept for a sentence, "" for nothing; of the last ones only."""
    return _behind.get(sentence, "")
