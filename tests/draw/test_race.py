"""The race's figure: its data are the race's numbers, and its ink is the same on every run."""

import numpy as np
import pytest
from planted import SURFACES, isoflop_design, make_table

from isoflop.draw.canvas import new_panels
from isoflop.draw.race import draw_race, race_figure
from isoflop.draw.render import render_svg
from isoflop.fitting.parametric import FitSpec
from isoflop.laws.power import PowerConstantLaw
from isoflop.plan.race.race import race_runs

EPOCH = SURFACES["epoch"]


@pytest.fixture(scope="module")
def tables():
    N, D = isoflop_design(EPOCH, points=7)
    return (
        make_table(EPOCH, N, D, noise=0.003, seed=1),
        make_table((1.75, EPOCH[1], 1.1 * EPOCH[2], *EPOCH[3:]), N, D, noise=0.003, seed=2),
    )


@pytest.fixture(scope="module")
def race(tables):
    return race_runs(*tables, spec=FitSpec(n_resamples=40, n_starts=16))


def test_the_multiplier_is_the_laps(race, tables) -> None:
    figure = race_figure(race, *tables)
    at = np.interp(
        np.log([lap.flops for lap in race.laps]),
        np.log(figure.multiplier.x),
        np.log(figure.multiplier.y),
    )
    assert np.exp(at) == pytest.approx([lap.multiplier for lap in race.laps], rel=0.01)
    assert np.all(figure.multiplier.low <= figure.multiplier.y)
    assert np.all(figure.multiplier.y <= figure.multiplier.high)
    assert figure.crossing == race.crossing.value


def test_curves_and_runs_are_those_of_both_tables(race, tables) -> None:
    figure = race_figure(race, *tables)
    for points, line, table in zip(figure.runs, figure.curves, tables, strict=True):
        assert points.y.tolist() == table.numbers("loss").tolist()
        assert line.has_band
        best = table.numbers("loss").min()
        assert np.interp(1e21, line.x, line.y) == pytest.approx(best, rel=0.02)
    assert figure.multiplier.x[-1] == pytest.approx(1e23, rel=0.01)


def test_without_draws_there_are_no_bands(tables) -> None:
    race = race_runs(*tables, spec=FitSpec(n_resamples=0, n_starts=16))
    figure = race_figure(race, *tables)
    assert not figure.multiplier.has_band
    draw_race(figure)


def test_the_same_race_is_the_same_ink_and_fits_panels_of_ones_own(race, tables) -> None:
    figure = race_figure(race, *tables)
    first, again = (render_svg(draw_race(figure)) for _ in range(2))
    assert first == again
    canvas, axes = new_panels(2)
    assert draw_race(figure, axes) is canvas
    assert axes[1].get_ylabel() == "compute A needs for B's loss (×)"


def test_a_race_over_tokens_names_tokens_on_every_axis(tables) -> None:
    law = PowerConstantLaw("n_tokens")
    race = race_runs(*tables, law=law, spec=FitSpec(n_resamples=0, n_starts=16))
    figure = race_figure(race, *tables)
    canvas, axes = new_panels(2)
    assert draw_race(figure, axes) is canvas
    assert axes[1].get_ylabel() == "tokens A needs for B's loss (×)"
    assert figure.multiplier.label == "A needs × tokens"
    assert [ax.get_xlabel() for ax in axes] == ["tokens D", "tokens D"]
    assert b"compute" not in render_svg(canvas)
