"""Our parts beside the authors' own code, on the same weights and inputs.

    python -m benchmarks.authors FOLDER              # writes authors.md
    python -m benchmarks.authors FOLDER --only DACS

FOLDER holds clones of their repositories, named as on GitHub: AdaptSegNet, ADVENT, BDL, DACS, DAFormer, FDA,
HRDA, MIC. Their code is imported from there and is no part of this project. Ends with status 1 where sides
that should agree do not, or agree where a reason is given why they should not.
"""

import argparse
import sys
from pathlib import Path

import torch

from benchmarks.authors import (  # noqa: F401  # they register comparisons
    adaptsegnet,
    adaptsegnet_training,
    daformer,
    resolutions,
    self_training,
    translation,
)
from benchmarks.authors.clones import Clones, double_precision
from benchmarks.authors.table import AGREE, COMPARISONS, difference, line

HEAD = f"""# Beside the authors' own code

`python -m benchmarks.authors FOLDER`, torch {torch.__version__} on a CPU, same weights and inputs on both
sides, in double precision, so that what is left of a difference is no rounding. Differences are the largest
of all values compared, absolute and over the largest magnitude on their side; agreement is a relative
difference of at most {AGREE:.0e}.

| what | theirs | ours | largest difference | relative | agree | remark |
|---|---|---|---|---|---|---|
"""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", help="comparisons with this repository alone; writes no table")
    asked = parser.parse_args()
    clones, lines, failed = Clones(asked.folder.resolve()), [], 0
    for comparison in COMPARISONS:
        if asked.only not in (None, comparison.repo):
            continue
        torch.manual_seed(0)
        with double_precision():
            found = difference(comparison.run(clones))
        failed += found.agrees == bool(comparison.differs)
        lines.append(line(comparison, found, clones.commit(comparison.repo)))
        print(lines[-1], flush=True)
    if not asked.only:
        Path(__file__).parent.with_suffix(".md").write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
