"""Figures of decisions: their data are the papers' and the planner's numbers, their ink repeats."""

import builtins

import numpy as np
import pytest

from isoflop.base.errors import InputError, MissingExtraError
from isoflop.draw.canvas import new_panels
from isoflop.draw.design import design_figure, draw_design
from isoflop.draw.growth import allocation_figure, draw_growth, growth_figure
from isoflop.draw.off_optimum import draw_off_optimum, off_optimum_figure, wrong_size_figure
from isoflop.draw.render import render_png, render_svg
from isoflop.draw.repeats import draw_repeats, repeats_figure
from isoflop.draw.save import save_figure
from isoflop.plan.data.allocation import plan_repeats
from isoflop.plan.design.ladder import design_ladder
from isoflop.plan.kaplan.split import split_growth
from isoflop.plan.lifetime.off_optimum import price_off_optimum
from isoflop.plan.optimum.allocate import plan_from_fit

BESIROGLU = (1.8172, 482.01, 2085.43, 0.3478, 0.3658)
R_STAR = 15.387756
"""Muennighoff et al. 2023."""


def besiroglu(N, C):
    E, A, B, alpha, beta = BESIROGLU
    return E + A / N**alpha + B / (C / (6 * N)) ** beta


def at(line, x: float) -> float:
    return float(np.exp(np.interp(np.log(x), np.log(line.x), np.log(line.y))))


# Growth


def test_a_billion_fold_growth_is_kaplans_stack() -> None:
    figure = growth_figure(split_growth(1e9))
    # Kaplan et al. 2020, table 6: C^.73, C^.24, C^.03; their product is the compute.
    ends = [layer.y[-1] for layer in figure.layers]
    assert ends == pytest.approx([10 ** (9 * p) for p in (0.73, 0.24, 0.03)])
    assert np.prod([layer.y for layer in figure.layers], axis=0) == pytest.approx(
        figure.layers[0].x
    )
    assert [layer.label for layer in figure.layers] == ["model size", "batch", "serial steps"]
    with pytest.raises(InputError, match="must grow"):
        growth_figure(split_growth(0.5))


def test_under_a_joint_law_parameters_and_tokens_share_the_growth() -> None:
    figure = allocation_figure("besiroglu-2024", (1e20, 1e24))
    n_params, n_tokens = figure.layers
    # a = beta/(alpha + beta) of Hoffmann's closed form.
    assert n_params.y == pytest.approx((n_params.x / 1e20) ** (0.3658 / (0.3478 + 0.3658)))
    assert n_params.y * n_tokens.y == pytest.approx(n_params.x / 1e20)
    for budgets in ((1e24, 1e20), (-1.0, 1e20)):
        with pytest.raises(InputError):
            allocation_figure("besiroglu-2024", budgets)
    with pytest.raises(InputError, match="n_tokens"):
        allocation_figure("kaplan-2020-ns", (1e20, 1e24))


def test_a_fits_growth_has_the_plans_values_and_an_interval(joint) -> None:
    figure = allocation_figure(joint, (1e12, 1e15))
    first, last = (plan_from_fit(joint, C).n_params.value for C in (1e12, 1e15))
    layer = figure.layers[0]
    assert layer.y[-1] == pytest.approx(last / first)
    assert layer.has_band
    assert layer.low[-1] < layer.y[-1] < layer.high[-1]
    assert layer.low[0] == layer.high[0] == 1


# Off the optimum


def test_the_valley_is_the_law_over_its_own_minimum() -> None:
    figure = off_optimum_figure("besiroglu-2024", 1e21)
    extra, compute = (panel.cost for panel in figure.panels)
    a = 0.3658 / (0.3478 + 0.3658)
    best = (0.3478 * 482.01 / (0.3658 * 2085.43)) ** (1 / (0.3478 + 0.3658)) * (1e21 / 6) ** a
    expected = besiroglu(extra.x * best, 1e21) - besiroglu(best, 1e21)
    assert extra.y == pytest.approx(expected, abs=1e-9)
    reached = np.isfinite(compute.y)
    # Spending C·y on that size gives the optimum's loss.
    assert besiroglu((compute.x * best)[reached], 1e21 * compute.y[reached]) == pytest.approx(
        besiroglu(best, 1e21), rel=1e-8
    )
    assert [at(compute, end) for end in figure.within] == pytest.approx([1.2, 1.2], rel=5e-3)


def test_kaplans_band_is_the_papers() -> None:
    figure = wrong_size_figure()
    assert figure.within == pytest.approx((0.577, 2.183), abs=5e-4)  # the paper: 0.6 to 2.2
    compute, steps = (panel.cost for panel in figure.panels)
    assert at(steps, 2.2) == pytest.approx(0.55, abs=0.005)  # 45 % fewer steps
    assert at(compute, 2.2) == pytest.approx(1.2, abs=0.005)


def test_a_fits_valley_is_its_table_and_shows_where_the_optimum_may_lie(joint) -> None:
    figure = off_optimum_figure(joint, 1e13)
    found = price_off_optimum(1e13, joint, ratios=[1.0, 8.0])
    best, far = found.table
    assert figure.optimum == pytest.approx(
        (best.n_params.low / best.n_params.value, best.n_params.high / best.n_params.value)
    )
    cost = figure.panels[0].cost
    ends = (cost.low[-1], cost.y[-1], cost.high[-1])
    assert ends == pytest.approx((far.penalty.low, far.penalty.value, far.penalty.high))
    assert "nats/byte" in figure.panels[0].axis


# Repeats


def test_worth_is_the_papers_formula_with_half_where_it_says() -> None:
    figure = repeats_figure()
    repeats = figure.worth.x - 1
    assert figure.worth.y == pytest.approx(1 + R_STAR * (1 - np.exp(-repeats / R_STAR)), rel=1e-6)
    half = float(figure.half.x[0])
    assert np.exp(-(half - 1) / R_STAR) == pytest.approx(0.5)
    assert at(figure.worth, half) == pytest.approx(float(figure.half.y[0]), rel=1e-3)
    assert figure.limit == pytest.approx(16.39, abs=0.005)
    # What 182 runs leave open holds the published line, up to repeats as good as fresh tokens.
    assert np.all((figure.worth.low <= figure.worth.y) & (figure.worth.y <= figure.worth.high))
    assert figure.worth.high == pytest.approx(figure.worth.x)


def test_the_loss_along_epochs_passes_through_the_plan() -> None:
    figure = repeats_figure(flops=1e22)
    plan = plan_repeats(1e22, 25e9)
    assert (figure.plan.x[0], figure.plan.y[0]) == (plan.epochs.value, plan.loss.value)
    assert at(figure.loss, plan.epochs.value) == pytest.approx(plan.loss.value, rel=1e-4)
    # Their own code: L(6.34e9, 242e9, 25e9).
    theirs = repeats_figure(n_params=6.34e9)
    assert at(theirs.loss, 242 / 25) == pytest.approx(2.2256440889984477, rel=1e-4)
    assert np.all(figure.loss.y >= figure.fresh.y - 1e-12)
    assert figure.loss.y[0] == pytest.approx(figure.fresh.y[0])


def test_a_plan_beyond_the_axis_is_told_in_words() -> None:
    canvas = draw_repeats(repeats_figure(flops=1e24, n_tokens_unique=1e9))
    words = [text.get_text() for text in canvas.axes[1].get_legend().get_texts()]
    assert any("beyond the axis" in each for each in words)


# Designs


@pytest.fixture(scope="module")
def frontier():
    return design_figure("besiroglu-2024", 1e21, 1e23)


def test_at_the_budget_the_errors_are_the_designs(frontier) -> None:
    design = design_ladder("besiroglu-2024", 1e21, 1e23)
    loss, size = frontier.panels
    assert at(loss.designed, 1e21) == pytest.approx(100 * design.errors.loss)
    assert at(size.designed, 1e21) == pytest.approx(100 * np.expm1(design.errors.size))
    assert loss.at_budget == pytest.approx(100 * design.grid.loss)
    assert at(size.grid, 1e21) == pytest.approx(100 * np.expm1(design.grid.size), rel=1e-6)


def test_the_designed_ladder_errs_less_and_reaches_the_grid_for_less(frontier) -> None:
    for panel in frontier.panels:
        assert np.all(panel.designed.y < panel.grid.y)
        assert np.all(np.diff(panel.grid.y) < 0)
        assert at(panel.designed, panel.reached) == pytest.approx(panel.at_budget)
        assert panel.reached < 1e21 / 2
        assert np.isnan(panel.before)


def test_a_fits_runs_are_a_line_and_a_target_too_small_is_refused(joint) -> None:
    figure = design_figure(joint, 1e14, 1e16, max_runs=12)
    design = design_ladder(joint, 1e14, 1e16, max_runs=12)
    assert figure.panels[0].before == pytest.approx(100 * design.before.loss)
    assert b"<svg" in render_svg(draw_design(figure))
    with pytest.raises(InputError, match="cost less than the run"):
        design_figure("besiroglu-2024", 1e21, 1e20)


# Ink


@pytest.fixture(scope="module")
def drawn(frontier):
    return {
        "split": (growth_figure(split_growth(1e9)), draw_growth, 1),
        "allocation": (allocation_figure("besiroglu-2024", (1e20, 1e24)), draw_growth, 1),
        "off": (off_optimum_figure("besiroglu-2024", 1e21), draw_off_optimum, 2),
        "wrong": (wrong_size_figure(), draw_off_optimum, 2),
        "repeats": (repeats_figure(flops=1e22), draw_repeats, 2),
        "design": (frontier, draw_design, 2),
    }


NAMES = ("split", "allocation", "off", "wrong", "repeats", "design")


@pytest.mark.parametrize("name", NAMES)
def test_the_same_data_are_the_same_bytes_on_any_panels(drawn, name: str, tmp_path) -> None:
    data, draw, n_panels = drawn[name]
    first, again = (draw(data) for _ in range(2))
    assert render_svg(first) == render_svg(again)
    assert render_png(first) == render_png(again)
    canvas, axes = new_panels(n_panels)
    assert draw(data, axes) is canvas
    assert all(ax.get_xscale() == "log" and ax.get_ylabel() for ax in axes)
    assert all(path.stat().st_size > 500 for path in save_figure(data, canvas, tmp_path / name))


@pytest.mark.parametrize("name", NAMES)
def test_without_matplotlib_the_extra_is_named(drawn, name: str, monkeypatch) -> None:
    data, draw, _ = drawn[name]
    real = builtins.__import__

    def refuse(module, *rest, **named):
        if module.startswith("matplotlib"):
            raise ImportError(module)
        return real(module, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingExtraError, match="draw"):
        draw(data)


@pytest.mark.parametrize("name", NAMES)
def test_no_words_lie_on_one_another(drawn, name: str) -> None:
    canvas = drawn[name][1](drawn[name][0])
    canvas.draw_without_rendering()
    boxes = []
    for ax in canvas.axes:
        texts = [ax.title, ax._left_title, ax.xaxis.label, ax.yaxis.label, *ax.texts]
        legend = ax.get_legend()
        texts += legend.get_texts() if legend else []
        boxes += [text.get_window_extent() for text in texts if text.get_text()]
    for k, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[k + 1 :])
        assert box.x0 >= -1
        assert box.x1 <= canvas.bbox.x1 + 1
