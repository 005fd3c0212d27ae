"""Run the pages of docs/reproductions again: what is printed here must stand there.

`make reproductions`, or `python -m benchmarks.reproductions`. Tables, no part of the project,
are read from the folder that ISOFLOP_DATA names (else ../shared/data); what needs one that is not
there is said to be left out. Ends with 1 if a number differs from its page. `--full` resamples the
data-constrained runs 4,000 times instead of 400, for a look; its lines are not on the page.
"""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import _hoffmann, _loss_curves, _repeated_data
from benchmarks._kaplan_tables import kaplan
from benchmarks._page_commands import COMMANDS, PAGES, ROOT, compare_page
from benchmarks._porian import ladder_lines
from benchmarks._published_fits import PAPERS
from isoflop.exchange.published.read import FOLDER, locate_published
from isoflop.exchange.published.registry import find_published_table

LADDER, FITS = "porian.md", "published-fits.md"
REPEATS = "data-constrained.md"
FILES: dict[str, tuple[str, Callable[[Path], Iterator[str]]]] = {
    "hoffmann.md": (_hoffmann.POINTS, lambda data: (r.line() for r in _hoffmann.hoffmann(data))),
    "loss-curves.md": (
        _loss_curves.FOLDER,
        lambda data: (r.line() for r in _loss_curves.luo(data)),
    ),
    REPEATS: (_repeated_data.TABLE, _repeated_data.page_lines),
}
"""{page: (file or folder it needs, its lines)}"""


def data_folder() -> Path:
    """Return the folder of public tables, and let the registry look there too."""
    os.environ.setdefault(FOLDER, str(ROOT.parent / "shared" / "data"))
    return Path(os.environ[FOLDER])


def is_here(name: str) -> bool:
    """Whether a registered table is on this machine."""
    return locate_published(find_published_table(name)) is not None


def fitted_lines(data: Path) -> Iterator[tuple[str, str]]:
    """Yield (page, line) of every number fitted again from the tables that are here."""
    optima = data / "porian" / "optimal_pairs.csv"
    if is_here("porian-2024-isoflop") and optima.exists():
        yield from ((LADDER, line) for line in ladder_lines(optima))
    for name, rows in PAPERS.items():
        if is_here(name):
            yield from ((FITS, row.line()) for row in rows())
    yield from (("kaplan.md", row.line()) for row in kaplan())
    for page, (needed, lines) in FILES.items():
        if (data / needed).exists():
            yield from ((page, line) for line in lines(data))


def main() -> int:
    """Print every number; return how many differ from their page, at most 1."""
    data, differ = data_folder(), 0
    for page, line in fitted_lines(data):
        stands = line in (PAGES / page).read_text(encoding="utf-8").splitlines()
        differ += not stands
        print(line if stands else f"{line}  <- not on docs/reproductions/{page}")
    for name in ("porian-2024-isoflop", *PAPERS):
        if not is_here(name):
            print(f"left out: {name} is not here; `isoflop published show {name}`")
    for page, (needed, _) in FILES.items():
        if not (data / needed).exists():
            print(f"left out: {page}: no {needed}; set {FOLDER}")
    if "--full" in sys.argv[1:] and (data / _repeated_data.TABLE).exists():
        for line in _repeated_data.resample_lines(data, _repeated_data.MORE_RESAMPLES):
            print(line)
    for asked in COMMANDS:
        if asked.data and not (data / asked.data).exists():
            print(f"left out: {asked.page}: {asked.command}: no {asked.data}; set {FOLDER}")
            continue
        wrong = list(compare_page(asked, data))
        differ += len(wrong)
        print(f"{asked.page}: {asked.command}: {'; '.join(wrong) or f'{len(asked.places)} agree'}")
    print(f"{differ} differ from their pages" if differ else "all as on the pages")
    return int(differ > 0)


if __name__ == "__main__":
    sys.exit(main())
