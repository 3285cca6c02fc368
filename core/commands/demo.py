"""Before and after, in one table: what adapting did to a run's maps."""

from pathlib import Path

from core.errors import BadInput
from core.files import read_json
from core.judging.evaluate import table


def compare(run: Path) -> str:
    """The scores of a finished run's maps side by side, what was chosen and why, and where the maps are.

    Raises BadInput for a run without scores: its target had no labels to check with.
    """
    if not (run / "scores.json").exists():
        raise BadInput(run, "has no scores", "give the target labels, `use: check`, and run it again")
    scores = read_json(run / "scores.json")
    verdict = read_json(run / "verdict.json")
    columns = {name: scores[name] for name in ("source-only", "adapted") if name in scores}
    columns["chosen"] = scores[verdict["chosen"]]
    maps = [str(path) for path in sorted((run / "maps").glob("*.tif"))]
    reasons = "; ".join(verdict["reasons"])
    why = f"chosen without any target label: {verdict['chosen']} ({verdict['sure']}: {reasons})"
    return "\n".join(["scores on the target, percent", table(columns), why, "maps:", *maps])
