"""Intervals for single future runs on every public run table, none of it made here.

`python -m benchmarks.backtests [--data FOLDER] [--only NAME] [--write FOLDER] [--json]` fits the
smaller runs of each table and counts the larger ones inside their 95 % intervals: the table of
docs/reproductions/backtests.md. With --write the selected runs are written as CSV, so that any
row is `isoflop backtest FOLDER/NAME.csv --law LAW --cut CUT`.
"""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.public_tables import PublicTable, public_tables
from isoflop.base.errors import IsoflopError
from isoflop.exchange.run_tables import write_runs
from isoflop.fitting.parametric import FitSpec
from isoflop.fitting.trials.backtest import backtest

LEVEL = 0.95
SHARES = (0.5, 0.65, 0.8)
"""Shares of the runs fitted, where a table has no cuts of its own."""


@dataclass(frozen=True)
class Row:
    """One backtest.

    Args:
        table: name of the table.
        law: the form fitted.
        cut: compute from which runs were predicted.
        n_train: runs fitted.
        n_test: runs predicted.
        coverage: share of them inside their intervals.
        median_log_width: of the intervals.
        rmsle: root mean square log error.
        suspected: whether the fitted runs alone raised suspicion.
        plain_coverage: with the law taken at its word.
        plain_log_width: likewise, the median.
        seconds: processor time.
    """

    table: str
    law: str
    cut: float
    n_train: int
    n_test: int
    coverage: float
    median_log_width: float | None
    rmsle: float
    suspected: bool
    plain_coverage: float
    plain_log_width: float | None
    seconds: float


def cuts(table: PublicTable) -> tuple[float, ...]:
    """Computes at which a table is divided."""
    if table.cuts:
        return table.cuts
    flops = np.sort(table.runs.numbers("flops"))
    picked = {float(f"{flops[int(share * len(flops))]:.3g}") for share in SHARES}
    return tuple(sorted(picked))


def measure(table: PublicTable) -> Iterator[Row]:
    """Backtest a table at each cut; one that cannot be fitted there is left out."""
    spec = FitSpec(n_resamples=400, level=LEVEL)
    for cut in cuts(table):
        began = time.process_time()
        try:
            found = backtest(table.runs, table.law, cut=cut, spec=spec).to_dict()
        except IsoflopError as error:
            print(f"{table.name} from {cut:.3g}: {error}")
            continue
        plain = found["law_at_its_word"]
        assert isinstance(plain, dict)
        yield Row(
            table=table.name,
            law=table.law,
            cut=cut,
            suspected=found["misfit"]["suspected"],  # type: ignore[index]
            plain_coverage=plain["coverage"],
            plain_log_width=plain["median_log_width"],
            seconds=time.process_time() - began,
            **{name: found[name] for name in SHARED},  # type: ignore[arg-type]
        )


HEADER = (
    f"{'table':34} {'cut':8} {'fit':>4} {'hid':>4}  cover width  rmsle   susp  plain width  seconds"
)
SHARED = ("n_train", "n_test", "coverage", "median_log_width", "rmsle")


def show(row: Row) -> str:
    """One line of the table."""
    widths = [
        "    -" if width is None else f"{width:.3f}"
        for width in (row.median_log_width, row.plain_log_width)
    ]
    return (
        f"{row.table:34} {row.cut:8.2e} {row.n_train:4d} {row.n_test:4d}  {row.coverage:5.3f} "
        f"{widths[0]}  {row.rmsle:.4f}  {'yes' if row.suspected else 'no ':3}  "
        f"{row.plain_coverage:5.3f} {widths[1]}  {row.seconds:5.2f}"
    )


def summarise(rows: list[Row]) -> str:
    """Coverage over all backtests of each family of tables."""
    families: dict[str, list[Row]] = {}
    for row in rows:
        families.setdefault(row.table.split("/")[0], []).append(row)
    lines = []
    for name, members in families.items():
        coverage = np.array([row.coverage for row in members])
        widths = [row.median_log_width for row in members if row.median_log_width is not None]
        lines.append(
            f"{name:20} {len(members):3d} backtests  mean coverage {coverage.mean():.3f}, "
            f"lowest {coverage.min():.3f}, at least .9 in {np.mean(coverage >= 0.9):.0%}, "
            f"mean of the median log widths {np.mean(widths):.3f}, plain coverage "
            f"{np.mean([row.plain_coverage for row in members]):.3f}"
        )
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--only", default="", help="Tables whose name begins so.")
    parser.add_argument("--write", type=Path, help="Write the tables here as CSV.")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args([] if arguments is None else arguments)
    tables = [t for t in public_tables(options.data) if t.name.startswith(options.only)]
    if not tables:
        print(f"no run tables under {options.data}: nothing to backtest")
        return
    if not options.json:
        print(HEADER)
    rows = []
    for table in tables:
        if options.write:
            options.write.mkdir(parents=True, exist_ok=True)
            write_runs(table.runs, options.write / f"{table.name.replace('/', '-')}.csv")
        for row in measure(table):
            rows.append(row)
            if not options.json:
                print(show(row), flush=True)
    print(json.dumps([asdict(row) for row in rows]) if options.json else summarise(rows))


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
