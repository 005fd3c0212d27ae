"""The ink: every figure draws, in bounds, the same bytes each time, without pyplot."""

import builtins
import subprocess
import sys
from itertools import pairwise

import pytest

from isoflop.base.errors import MissingExtraError
from isoflop.draw.backtest import backtest_figure, draw_backtest
from isoflop.draw.canvas import house_style
from isoflop.draw.contours import contours_figure, draw_contours
from isoflop.draw.isoflop_valleys import draw_isoflop, isoflop_figure
from isoflop.draw.learning_curves import draw_learning_curves, learning_curves_figure
from isoflop.draw.loss_curves import draw_loss_curves, loss_curves_figure
from isoflop.draw.render import render_png, render_svg, settle
from isoflop.draw.residuals import draw_residuals, residuals_figure
from isoflop.draw.save import save_figure
from isoflop.fitting.frontiers.envelope import fit_envelope
from isoflop.fitting.frontiers.isoflop import fit_isoflop
from isoflop.fitting.parametric import FitSpec
from isoflop.fitting.trials.backtest import backtest_largest_budget
from isoflop.plan.optimum.allocate import plan_from_fit

SPEC = FitSpec(n_resamples=40, n_starts=16)


@pytest.fixture(scope="module")
def drawn(table, joint, single, curves):
    """{name: (data, function that draws it)}."""
    plans = [plan_from_fit(joint, 1e14)]
    return {
        "loss": (loss_curves_figure(table, joint=joint, singles={"": single}), draw_loss_curves),
        "learning": (learning_curves_figure(curves, finals=table), draw_learning_curves),
        "valleys": (isoflop_figure(fit_isoflop(table, SPEC)), draw_isoflop),
        "envelope": (isoflop_figure(fit_envelope(table, SPEC)), draw_isoflop),
        "contours": (contours_figure(joint, table, plans=plans), draw_contours),
        "residuals": (residuals_figure(joint, table), draw_residuals),
        "backtest": (
            backtest_figure(backtest_largest_budget(table, joint.law, SPEC)),
            draw_backtest,
        ),
    }


@pytest.fixture(scope="module")
def canvases(drawn):
    made = {name: draw(data) for name, (data, draw) in drawn.items()}
    for canvas in made.values():
        settle(canvas)
    return made


NAMES = ("loss", "learning", "valleys", "envelope", "contours", "residuals", "backtest")


@pytest.mark.parametrize("name", NAMES)
def test_the_same_figure_gives_the_same_bytes(drawn, canvases, name):
    data, draw = drawn[name]
    first, second = canvases[name], draw(data)
    assert render_svg(first) == render_svg(second)
    assert render_png(first, dpi=40) == render_png(second, dpi=40)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_cut_off_and_no_letters_are_too_small(canvases, name):
    canvas = canvases[name]
    page = canvas.bbox
    with house_style():
        for ax in canvas.axes:
            box = ax.get_tightbbox(for_layout_only=True)
            assert box.x0 >= page.x0 - 1
            assert box.y0 >= page.y0 - 1
            assert box.x1 <= page.x1 + 1
            assert box.y1 <= page.y1 + 1
            assert ax.get_legend() is not None or len(canvas.axes) > 1
            labels = [*ax.get_xticklabels(), *ax.get_yticklabels(), ax.xaxis.label]
            assert min(text.get_fontsize() for text in labels) >= 8


@pytest.mark.parametrize("name", NAMES)
def test_labels_of_an_axis_do_not_touch(canvases, name):
    for ax in canvases[name].axes:
        boxes = [t.get_window_extent() for t in ax.get_xticklabels() if t.get_text()]
        boxes.sort(key=lambda box: box.x0)
        gaps = [right.x0 - left.x1 for left, right in pairwise(boxes)]
        assert all(gap > 0 for gap in gaps)
        assert len(boxes) >= 2


def test_a_figure_saved_twice_is_the_same_file(canvases):
    canvas = canvases["valleys"]
    assert render_svg(canvas) == render_svg(canvas)


def test_an_svg_carries_no_date_and_no_version(canvases):
    svg = render_svg(canvases["residuals"]).decode()
    assert "<dc:date>" not in svg
    assert "Matplotlib" not in svg


def test_a_saved_figure_has_its_data_beside_it(drawn, canvases, tmp_path):
    data, _ = drawn["residuals"]
    written = save_figure(data, canvases["residuals"], tmp_path / "figures" / "residuals", dpi=40)
    assert [path.name for path in written] == [
        "residuals.png", "residuals.svg", "residuals.csv", "residuals.json",
    ]  # fmt: skip
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == sorted(
        path.name for path in written
    )


def test_a_figure_draws_into_panels_of_the_caller(drawn):
    from matplotlib.figure import Figure

    data, draw = drawn["residuals"]
    mine = Figure()
    assert draw(data, list(mine.subplots(1, 2))) is mine


def test_without_matplotlib_the_error_names_the_extra(drawn, monkeypatch):
    real = builtins.__import__

    def refuse(name, *rest, **named):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", refuse)
    data, draw = drawn["residuals"]
    with pytest.raises(MissingExtraError, match=r"pip install 'isoflop\[draw\]'"):
        draw(data)


def test_data_needs_no_matplotlib_and_ink_needs_no_pyplot():
    code = (
        "import sys; import isoflop.report.assemble as a; "
        "assert 'matplotlib' not in sys.modules; "
        "from isoflop.draw.canvas import house_style, new_panels\n"
        "with house_style(): new_panels(1)\n"
        "assert 'matplotlib' in sys.modules and 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_budgets_beside_the_valleys_have_their_unit(canvases):
    legend = canvases["valleys"].axes[0].get_legend()
    assert legend.get_title().get_text() == "beside each valley: its C in FLOPs"
