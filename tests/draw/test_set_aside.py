"""Figures of tables with outliers, and of runs that coincide: what counts is what is seen."""

import numpy as np
from planted import SURFACES, isoflop_design, make_table

import isoflop
from isoflop.draw.race import MARKS, draw_race, race_figure
from isoflop.draw.residuals import draw_residuals, residuals_figure
from isoflop.fitting.parametric import FitSpec
from isoflop.plan.race.race import race_runs

EPOCH = SURFACES["epoch"]


def test_runs_set_aside_do_not_set_the_axis_and_the_band() -> None:
    table = make_table(EPOCH, *isoflop_design(EPOCH, points=13), noise=0.003, seed=1)
    loss = table.numbers("loss").copy()
    loss[[0, 13, 30]] *= 1.3
    odd = table.with_column("loss", loss)
    fit = isoflop.fit(odd, "chinchilla", spec=FitSpec(n_resamples=0, n_starts=8))
    figure = residuals_figure(fit, odd)
    assert figure.n_beyond == 3
    assert figure.rms < 0.6  # .3 % of noise planted, 30 % of the outliers left out
    drawn = draw_residuals(figure)
    low, high = drawn.axes[0].get_ylim()
    assert -3 < low < 0 < high < 3
    texts = [text.get_text() for text in drawn.axes[-1].get_legend().get_texts()]
    assert any("3 set aside" in text for text in texts)
    edges = [c for c in drawn.axes[0].collections if len(c.get_offsets()) == 3]
    assert any(np.allclose(np.asarray(c.get_offsets())[:, 1], 0.96 * low) for c in edges)


def test_coinciding_runs_of_both_recipes_are_seen_and_legends_cover_no_curve() -> None:
    table = make_table(EPOCH, *isoflop_design(EPOCH, points=7), noise=0.003, seed=1)
    race = race_runs(table, table, spec=FitSpec(n_resamples=20, n_starts=8))
    drawn = draw_race(race_figure(race, table, table))
    assert MARKS[0] != MARKS[1]
    _, hollow = (c for c in drawn.axes[0].collections if len(c.get_offsets()) == len(table))
    assert not len(hollow.get_facecolors())
    drawn.canvas.draw()
    for ax in drawn.axes:
        assert ax.get_legend().get_window_extent().y0 >= ax.get_window_extent().y1 - 1
