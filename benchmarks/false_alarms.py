"""False alarms of `isoflop check` on healthy simulated studies.

`python -m benchmarks.false_alarms` prints how many of 200 studies raise each finding; no finding
may be raised by more than one in twenty. Surfaces, designs and noise: `benchmarks/_healthy.py`.
`--studies 20` for fewer, `--seed`.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks._healthy import Row, studies
from isoflop.plan.checkup.examine import CODES, check_runs

WORST = 0.05
"""Largest share of healthy studies that may raise a finding."""


@dataclass(frozen=True)
class Alarms:
    """What healthy studies raised.

    Args:
        n_studies: studies examined.
        counts: {code: studies that raised it}.
        kinds: {code: {surface/design/noise: studies}}.
        clean: studies that raised nothing.
    """

    n_studies: int
    counts: Counter[str]
    kinds: dict[str, Counter[str]]
    clean: int


def alarms(healthy: Iterable[tuple[str, list[Row]]]) -> Alarms:
    """Examine studies and count what they raise."""
    counts: Counter[str] = Counter()
    kinds: dict[str, Counter[str]] = {}
    n_studies = clean = 0
    for name, rows in healthy:
        found = {each.code for each in check_runs(rows).findings}
        n_studies, clean = n_studies + 1, clean + (not found)
        counts.update(found)
        for code in found:
            kinds.setdefault(code, Counter())[name] += 1
    return Alarms(n_studies, counts, kinds, clean)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(sys.argv[1:] if sys.argv[0].endswith("false_alarms.py") else [])
    found = alarms(studies(asked.studies, asked.seed))
    print(f"{found.clean} of {found.n_studies} healthy studies raise nothing")
    for code in CODES:
        where = ", ".join(f"{kind} {n}" for kind, n in found.kinds.get(code, {}).items())
        share = 100 * found.counts[code] / found.n_studies
        print(f"{code:26}{found.counts[code]:4d}{share:7.1f} %  {where}")


if __name__ == "__main__":
    main()
