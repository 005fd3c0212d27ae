"""Run the pages of docs/reproductions again: what is printed here must stand there.

`make reproductions`, or `python -m benchmarks.reproductions [PAGE …]`, a page by its name without
`.md`. Tables, no part of the project, are read from the folder that ISOFLOP_DATA names (else
../shared/data); what needs one that is not there is said to be left out. Ends with 1 if a number
differs from its page. `--full` also resamples the data-constrained runs 4,000 times, two minutes.
`--figure STEM` draws the figure of the page named.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import (
    _besiroglu,
    _bnsl,
    _clark,
    _gadre,
    _hoffmann,
    _loss_curves,
    _repeated_data,
    _step_law,
    _tao,
)
from benchmarks._kaplan_tables import kaplan
from benchmarks._page_commands import COMMANDS, PAGES, ROOT, compare_page
from benchmarks._paper_figures import FIGURES
from benchmarks._porian import ladder_lines
from isoflop.exchange.published.read import FOLDER, locate_published
from isoflop.exchange.published.registry import find_published_table


@dataclass(frozen=True)
class Page:
    """A page whose tables are printed here.

    Args:
        lines: every line of its tables, from the folder of tables.
        table: name in `isoflop published` of the runs it needs, "" for none.
        path: file or folder under ISOFLOP_DATA that it needs, "" for none.
        more: lines that take minutes, with --full.
    """

    lines: Callable[[Path], Iterator[str]]
    table: str = ""
    path: str = ""
    more: Callable[[Path], Iterator[str]] | None = None

    def lacks(self, data: Path) -> str:
        """Say what is not here, "" if all is."""
        if self.table and locate_published(find_published_table(self.table)) is None:
            return f"{self.table} is not here; `isoflop published show {self.table}`"
        return "" if (data / self.path).exists() else f"no {self.path}; set {FOLDER}"


TABLES = {
    "porian": Page(
        lambda data: ladder_lines(data / "porian" / "optimal_pairs.csv"),
        "porian-2024-isoflop",
        "porian/optimal_pairs.csv",
    ),
    "gadre": Page(lambda _: _gadre.lines(), _gadre.TABLE),
    "clark": Page(lambda _: _clark.lines(), _clark.TABLE),
    "step-law": Page(_step_law.lines, _step_law.TABLE, _step_law.FITS),
    "tao": Page(lambda _: _tao.lines(), _tao.TABLE),
    "bnsl": Page(lambda _: _bnsl.lines(), _bnsl.TABLE),
    "kaplan": Page(lambda _: (row.line() for row in kaplan())),
    "chinchilla": Page(
        lambda data: (row.line() for row in _besiroglu.besiroglu(data)), path=_hoffmann.POINTS
    ),
    "hoffmann": Page(
        lambda data: (row.line() for row in _hoffmann.hoffmann(data)), path=_hoffmann.POINTS
    ),
    "loss-curves": Page(
        lambda data: (row.line() for row in _loss_curves.luo(data)), path=_loss_curves.FOLDER
    ),
    "data-constrained": Page(
        _repeated_data.page_lines,
        path=_repeated_data.TABLE,
        more=lambda data: _repeated_data.resample_lines(data, _repeated_data.MORE_RESAMPLES),
    ),
}
"""{page: its tables}"""


def data_folder() -> Path:
    """Return the folder of public tables, and let the registry look there too."""
    os.environ.setdefault(FOLDER, str(ROOT.parent / "shared" / "data"))
    return Path(os.environ[FOLDER])


def print_tables(name: str, data: Path, *, full: bool) -> int:
    """Print a page's lines; return how many do not stand on it."""
    page, differ = TABLES[name], 0
    if lacking := page.lacks(data):
        print(f"left out: {name}.md: {lacking}")
        return 0
    stated = (PAGES / f"{name}.md").read_text(encoding="utf-8").splitlines()
    for make in (page.lines, page.more if full else None):
        for line in make(data) if make else ():
            differ += line not in stated
            print(line if line in stated else f"{line}  <- not on docs/reproductions/{name}.md")
    return differ


def run_commands(names: Sequence[str], data: Path) -> int:
    """Run the commands of pages again; return how many numbers differ."""
    differ = 0
    for asked in COMMANDS:
        if asked.page.removesuffix(".md") not in names:
            continue
        if asked.data and not (data / asked.data).exists():
            print(f"left out: {asked.page}: {asked.command}: no {asked.data}; set {FOLDER}")
            continue
        wrong = list(compare_page(asked, data))
        differ += len(wrong)
        print(f"{asked.page}: {asked.command}: {'; '.join(wrong) or f'{len(asked.places)} agree'}")
    return differ


def draw(name: str, data: Path, stem: Path) -> None:
    """Draw a page's figure and save it with its data."""
    from benchmarks._paper_drawing import draw_paper
    from isoflop.draw.save import save_figure

    figure = FIGURES[name](data)
    for path in save_figure(figure, draw_paper(figure), stem):
        print(f"written to {path}", file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print every number; return how many differ from their page, at most 1."""
    known = sorted({*TABLES, *(asked.page.removesuffix(".md") for asked in COMMANDS)})
    parser = argparse.ArgumentParser(description="Published results found again.")
    parser.add_argument("page", nargs="*", help=f"of {', '.join(known)}; all by default")
    parser.add_argument("--full", action="store_true", help="also what takes minutes")
    parser.add_argument("--figure", type=Path, metavar="STEM", help="draw the one page named")
    asked = parser.parse_args(arguments)
    if unknown := set(asked.page) - set(known):
        parser.error(f"no page {', '.join(sorted(unknown))}; expected one of {', '.join(known)}")
    if asked.figure and (len(asked.page) != 1 or asked.page[0] not in FIGURES):
        parser.error(f"--figure draws one page: name one of {', '.join(FIGURES)}")
    data, names = data_folder(), asked.page or known
    differ = sum(print_tables(name, data, full=asked.full) for name in TABLES if name in names)
    differ += run_commands(names, data)
    print(f"{differ} differ from their pages" if differ else "all as on the pages")
    if asked.figure and not TABLES[asked.page[0]].lacks(data):
        draw(asked.page[0], data, asked.figure)
    return int(differ > 0)


if __name__ == "__main__":
    sys.exit(main())
