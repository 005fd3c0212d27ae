"""The contradiction's figure: its lines are the laws, its bars the table, its ink repeatable."""

import numpy as np
import pytest

from isoflop.draw.canvas import new_panels
from isoflop.draw.contradiction import contradiction_figure, draw_contradiction
from isoflop.draw.render import render_svg
from isoflop.draw.save import save_figure
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.laws.power import PowerLaw
from isoflop.plan.contradiction.crossing import find_crossing
from isoflop.plan.contradiction.spread import CrossingSpread
from isoflop.runs.table import RunTable

PF_DAY = 8.64e19


@pytest.fixture(scope="module")
def kaplan():
    return contradiction_figure(find_crossing())


def test_the_lines_are_kaplans_laws_and_meet_at_the_crossing(kaplan) -> None:
    days = kaplan.promised.x / PF_DAY
    assert kaplan.promised.y == pytest.approx((3.1e8 / days) ** 0.05, rel=1e-9)
    tokens = 2e10 * days**0.27
    assert kaplan.allowed.y == pytest.approx((5.4e13 / tokens) ** 0.095, rel=1e-9)
    gap = np.log(kaplan.promised.y / kaplan.allowed.y)
    meets = np.exp(np.interp(0.0, -gap, np.log(kaplan.promised.x)))
    assert kaplan.crossing.x[0] == pytest.approx(meets, rel=1e-6)
    assert f"{kaplan.crossing.x[0] / PF_DAY:.2e}" == "1.12e+04"


def test_bands_hold_their_lines_and_the_interval_the_crossing(kaplan) -> None:
    for line in (kaplan.promised, kaplan.allowed):
        assert line.has_band
        assert (line.low <= line.y).all()
        assert (line.y <= line.high).all()
    low, high = kaplan.interval
    assert low < kaplan.crossing.x[0] < high
    assert kaplan.loss_interval[0] < kaplan.crossing.y[0] < kaplan.loss_interval[1]


def test_bars_are_the_sensitivity_the_parts_and_the_total(kaplan) -> None:
    bars = {bar.label: bar for bar in kaplan.bars}
    one, five = (bars[f"exponent of L(C) ± {n} %"] for n in (1, 5))
    assert [f"{end / PF_DAY:.1e}" for end in (one.low, one.high)] == ["9.0e+03", "1.4e+04"]
    assert [f"{end / PF_DAY:.1e}" for end in (five.low, five.high)] == ["3.5e+03", "2.9e+04"]
    assert (bars["all, 90 % interval"].low, bars["all, 90 % interval"].high) == kaplan.interval
    assert len(kaplan.bars) == 6 + 6 + 1


def test_without_uncertainty_there_are_no_bands(tmp_path) -> None:
    figure = contradiction_figure(find_crossing(spread=CrossingSpread(rounding="ignored")))
    assert not figure.promised.has_band
    assert {bar.kind for bar in figure.bars} == {"change"}
    draw_contradiction(figure)


def test_an_interval_without_an_upper_end_is_drawn() -> None:
    spread = CrossingSpread({"compute_law": 0.02}, rounding="ignored")
    figure = contradiction_figure(find_crossing(spread=spread))
    assert figure.interval[1] == np.inf
    assert b"<svg" in render_svg(draw_contradiction(figure))


def test_fits_show_where_their_runs_are() -> None:
    laws = []
    for name, scale, exponent, ends in (
        ("flops", 3.1e8 * PF_DAY, 0.05, (1e17, 1e21)),
        ("n_tokens", 5.4e13, 0.095, (1e7, 1e10)),
    ):
        x = np.geomspace(*ends, 10)
        noise = np.exp(0.003 * np.random.default_rng(0).standard_normal(10))
        rows = zip(x, (scale / x) ** exponent * noise, strict=True)
        table = RunTable.from_records([{name: a, "loss": b} for a, b in rows])
        laws.append(fit_parametric(table, PowerLaw(name), FitSpec(n_resamples=40, n_starts=8)))
    figure = contradiction_figure(find_crossing(*laws))
    assert figure.measured == pytest.approx((1e17, 1e21))
    assert figure.promised.x[0] == pytest.approx(1e17)
    draw_contradiction(figure)


def test_the_same_crossing_is_the_same_ink_and_fits_panels_of_ones_own(kaplan, tmp_path) -> None:
    first, again = (render_svg(draw_contradiction(kaplan)) for _ in range(2))
    assert first == again
    canvas, axes = new_panels(2)
    assert draw_contradiction(kaplan, axes) is canvas
    assert axes[0].get_xlabel() == "training compute C (FLOPs)"
    assert axes[0].get_ylabel() == "loss (nats/token)"
    assert (axes[0].get_xscale(), axes[0].get_yscale()) == ("log", "log")
    paths = save_figure(kaplan, canvas, tmp_path / "contradiction")
    assert all(path.stat().st_size > 500 for path in paths)
