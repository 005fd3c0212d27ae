"""What the reproductions print: published numbers, and whether they still stand on their pages.

The tables are not part of this repository: expected beside it, or where ISOFLOP_SHARED_DATA says.
"""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import _hoffmann, _loss_curves, _repeated_data
from benchmarks._agreement import digits_agreed, same_number
from benchmarks._kaplan_tables import kaplan
from benchmarks._page_commands import COMMANDS, PAGES, compare_page
from benchmarks._porian import RUNGS, ladder_lines, recorded_exponent
from benchmarks._published_fits import gadre

SHARED = Path(os.environ.get("ISOFLOP_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
OPTIMA = SHARED / "porian" / "optimal_pairs.csv"

needs_tables = pytest.mark.skipif(
    not OPTIMA.exists(),
    reason="porian/optimal_pairs.csv is not here; point ISOFLOP_SHARED_DATA at the folder that "
    "holds porian/ and over-training/",
)


@pytest.fixture(autouse=True)
def tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ISOFLOP_DATA", str(SHARED))


@needs_tables
def test_recorded_optima_give_every_published_exponent() -> None:
    found = [digits_agreed(rung.published, recorded_exponent(rung, OPTIMA)) for rung in RUNGS]
    assert found == ["all"] * 15


@needs_tables
@pytest.mark.parametrize("rung", [RUNGS[0], RUNGS[4], RUNGS[9]], ids=lambda rung: rung.name)
def test_the_ladder_prints_the_line_of_its_page(rung) -> None:
    (line,) = ladder_lines(OPTIMA, (rung,))
    assert line in (PAGES / "porian.md").read_text(encoding="utf-8").splitlines()


@needs_tables
def test_gadres_predictions_have_every_printed_digit_and_stand_on_the_page() -> None:
    page = (PAGES / "published-fits.md").read_text(encoding="utf-8").splitlines()
    lines = [row.line() for row in gadre()]
    assert all(line.endswith("| all |") and line in page for line in lines)
    assert len(lines) == 4


def stands(page: str, lines: list[str]) -> None:
    missing = set(lines) - set((PAGES / page).read_text(encoding="utf-8").splitlines())
    assert missing == set()


def test_kaplans_tables_stand_on_their_page() -> None:
    rows = list(kaplan())
    stands("kaplan.md", [row.line() for row in rows])
    agreed = [digits_agreed(row.published, row.ours) for row in rows]
    assert (len(rows), agreed.count("all")) == (28, 17)


@needs_tables
def test_hoffmanns_numbers_stand_on_their_page() -> None:
    rows = list(_hoffmann.hoffmann(SHARED))
    stands("hoffmann.md", [row.line() for row in rows])
    elsewhere = [row for row in rows if row.paper == "recomputed elsewhere"]
    assert [digits_agreed(row.published, row.ours) for row in elsewhere] == ["all"] * 5
    assert _hoffmann.needed_runs() == pytest.approx(5.1e5, rel=0.01)


@needs_tables
def test_every_printed_digit_of_the_loss_curves_stands_on_their_page() -> None:
    lines = [row.line() for row in _loss_curves.luo(SHARED)]
    stands("loss-curves.md", lines)
    assert len(lines) == 9
    assert all(line.endswith("| all |") for line in lines)


@needs_tables
def test_the_decays_stand_on_their_page_and_resamples_hardly_bound_them() -> None:
    stands("data-constrained.md", [row.line() for row in _repeated_data.muennighoff(SHARED)])
    pairs = _repeated_data.resampled_pairs(SHARED, 60)
    low, high = np.quantile(pairs[:, 0], (0.1, 0.9))
    assert low < 12
    assert high > 500
    assert (np.quantile(pairs[:, 1], 0.9) / np.quantile(pairs[:, 1], 0.1)) > 10


@needs_tables
@pytest.mark.study
def test_the_resamples_stand_on_their_page() -> None:
    stands("data-constrained.md", list(_repeated_data.resample_lines(SHARED)))


def test_a_number_that_left_its_page_is_found() -> None:
    asked = next(command for command in COMMANDS if command.command == "isoflop kaplan stop")
    assert list(compare_page(asked, None)) == []
    steps = r"^\| steps at 2.2 times the size .*\| ([\d.]+) % fewer"
    moved = replace(asked, places=((r"^steps +([\d.]+)×", steps),))
    assert list(compare_page(moved, None)) == ["printed 7.64, on the page 45.3"]
    gone = replace(asked, places=((r"^no such line (\d)", steps),))
    assert len(list(compare_page(gone, None))) == 1


def test_numbers_agree_to_the_last_digit_of_the_shorter_one() -> None:
    assert same_number("0.347", ".3473")
    assert same_number("7.03e9", "7.026e9")
    assert not same_number("0.507", ".508")
    assert digits_agreed(".706", 0.70646) == "all"
    assert digits_agreed(".706", 0.7099) == "2"
