"""What the reproductions print: published numbers, and whether they still stand on their pages.

The tables are not part of this repository: expected beside it, or where ISOFLOP_SHARED_DATA says.
"""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

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
    reproductions,
)
from benchmarks._agreement import digits_agreed, same_number
from benchmarks._kaplan_tables import kaplan
from benchmarks._page_commands import COMMANDS, PAGES, compare_page
from benchmarks._paper_figures import FIGURES
from benchmarks._porian import RUNGS, ladder_lines, recorded_exponent
from isoflop.exchange.published.registry import find_published_table

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


def stands(page: str, lines: list[str]) -> None:
    missing = set(lines) - set((PAGES / page).read_text(encoding="utf-8").splitlines())
    assert missing == set()


@needs_tables
@pytest.mark.parametrize("name", FIGURES)
def test_the_lines_of_a_paper_stand_on_its_page_with_its_runs_and_its_figure(name: str) -> None:
    page = reproductions.TABLES[name]
    stands(f"{name}.md", list(page.lines(SHARED)))
    text = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    assert f"`{page.table}`" in text
    assert find_published_table(page.table).sha256[:12] in text
    assert f"python -m benchmarks.reproductions {name} --figure {name}" in text
    assert (PAGES.parent / "pictures" / f"{name}.png").is_file()


@needs_tables
def test_besiroglus_errors_and_intervals_are_found_again_and_stand_on_their_page() -> None:
    rows = list(_besiroglu.besiroglu(SHARED))
    stands("chinchilla.md", [row.line() for row in rows])
    elsewhere = [row.digits for row in rows if row.paper != "240 runs"]
    assert elsewhere == ["all"] * 6
    ends = [row for row in rows if "95 %" in row.what]
    assert len(ends) == 10
    for row in ends:
        assert row.ours == pytest.approx(float(row.published), rel=0.06)


@needs_tables
def test_gadres_predictions_have_every_printed_digit_in_loss_and_in_error() -> None:
    assert [row.digits for row in _gadre.gadre()] == ["all"] * 6


@needs_tables
def test_the_addition_has_every_digit_that_the_paper_prints() -> None:
    rows = list(_bnsl.caballero())
    assert [row.digits for row in rows if row.paper == "Caballero 2022"] == ["all"] * 2
    assert [row.digits for row in rows].count("all") == 10


@needs_tables
def test_the_step_laws_constants_are_the_means_of_its_own_fits_and_not_of_its_runs() -> None:
    rows = list(_step_law.step_law(SHARED))
    assert [row.digits for row in rows[:5]] == ["2", "all", "all", "all", "all"]
    assert "all" not in [row.digits for row in rows[5:]]
    low, high = np.quantile(_step_law.resampled()[:, 2], (0.05, 0.95))
    assert low < 0.197 < high < 0.307


@needs_tables
def test_clarks_constants_are_an_optimum_but_for_their_rounding() -> None:
    for router in _clark.PRINTED:
        table = _clark.routed_runs(router)
        best = _clark.rms(table, _clark.refit(router))
        rounded = _clark.in_rounding(router)
        assert best <= _clark.rms(table, rounded) < 1.01 * best
        assert _clark.rms(table, _clark.published(router)) > 1.1 * best
        np.testing.assert_array_equal(np.round(rounded[:4], 3), _clark.published(router)[:4])
    held = [row for row in _clark.clark() if row.paper == "Hash" and "held" in row.what]
    assert [row.digits for row in held] == ["all"] * 4


@needs_tables
def test_taos_first_two_approaches_have_the_published_powers_to_a_few_per_cent() -> None:
    first, by_half, second = (row.ours for row in list(_tao.tao())[:3])
    assert first == pytest.approx(0.4164, rel=0.02)
    assert by_half == pytest.approx(0.5, rel=0.03)
    assert second == pytest.approx(0.8354, rel=0.006)


@needs_tables
def test_the_figures_hold_every_run_and_are_drawn() -> None:
    pytest.importorskip("matplotlib")
    from benchmarks._paper_drawing import draw_paper

    shown = {name: make(SHARED) for name, make in FIGURES.items()}
    count = {
        name: [sum(len(mark.points.x) for mark in panel.marks) for panel in figure.panels]
        for name, figure in shown.items()
    }
    assert count["clark"] == [58, 59, 56]
    assert count["gadre"] == [35 + 5, 104 - 15]
    assert count["bnsl"] == [17, 17]
    assert [ax.get_xlabel() for ax in draw_paper(shown["bnsl"]).axes] == ["training examples"] * 2


def test_one_page_is_asked_for_by_its_name(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ISOFLOP_DATA", str(tmp_path))
    monkeypatch.setenv("ISOFLOP_CACHE", str(tmp_path))
    assert reproductions.main(["gadre"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "left out: gadre.md: gadre-2024-over-training is not here; "
        "`isoflop published show gadre-2024-over-training`",
        f"gadre.md: {_command('gadre.md')}: 1 agree",
        "all as on the pages",
    ]
    for wrong in (["gadrë"], ["--figure", "x"], ["nist", "--figure", "x"]):
        with pytest.raises(SystemExit) as stopped:
            reproductions.main(wrong)
        assert stopped.value.code == 2


def _command(page: str) -> str:
    return next(asked.command for asked in COMMANDS if asked.page == page)


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
    for draws in (_repeated_data.N_RESAMPLES, _repeated_data.MORE_RESAMPLES):
        stands("data-constrained.md", list(_repeated_data.resample_lines(SHARED, draws)))


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
