"""The OOM chart and the chart of data: their numbers are the forecasts', their ink repeats."""

import numpy as np
import pytest

from isoflop.draw.century import century_figure, draw_century
from isoflop.draw.orders import RIGHT, draw_orders, orders_figure
from isoflop.draw.render import render_svg
from isoflop.plan.forecast.century import forecast_century
from isoflop.plan.forecast.orders import Orders, measure_orders
from isoflop.plan.forecast.reading import exhaust_stocks
from isoflop.runs.table import RunTable


@pytest.fixture(scope="module")
def orders() -> Orders:
    t = np.array([-3.0, -2.0, -1.0, -0.5, 0.0])
    shares = {"near": 0.7 + 0.1 * t, "far": 0.3 + 0.005 * t + 0.001 * np.sin(9 * t),
              "falls": 0.3 - 0.01 * t}  # fmt: skip
    rows = [
        {"task": task, "n_params": 1e11 * 10**at, "score_percent": 100 * share}
        for task, values in shares.items()
        for at, share in zip(t, values, strict=True)
    ]
    return measure_orders(RunTable.from_records(rows), every=90)


def test_a_row_is_a_task_and_a_mark_is_a_form(orders: Orders) -> None:
    figure = orders_figure(orders)
    assert figure.tasks == tuple(task.series.name for task in orders.tasks)
    assert figure.groups == ("maybe", "less", "less")
    linear = figure.forms[0]
    assert linear.y[0] == pytest.approx(2.0)
    assert linear.low[0] <= 2.0 <= linear.high[0]
    assert linear.y[1] > RIGHT
    assert linear.y[2] == np.inf
    assert figure.origin == "orders of magnitude of parameters beyond 100B"


def test_what_lies_beyond_the_axis_is_written_at_its_edge(orders: Orders) -> None:
    canvas = draw_orders(orders_figure(orders))
    texts = [text.get_text() for text in canvas.axes[0].texts]
    assert "never ▸" in texts
    far = next(task for task in orders.tasks if task.series.task == "far")
    assert f"{far.orders['linear'].value:.0f} ▸" in texts
    assert "less" in texts


def test_demand_and_stocks_are_the_forecasts() -> None:
    century = forecast_century()
    figure = century_figure(century, exhaust_stocks(century))
    assert [line.label for line in figure.demand][:2] == ["exponents", "besiroglu-2024"]
    own = figure.demand[0]
    at_budget = np.exp(np.interp(np.log(1e36), np.log(own.x), np.log(own.y)))
    assert at_budget == pytest.approx(century.n_tokens.value, rel=1e-6)
    text = next(line for line in figure.stocks if line.label == "public-text")
    assert (text.y[0], text.low[0], text.high[0]) == (3e14, 1e14, 1e15)
    assert figure.flops == 1e36


def test_the_same_data_are_the_same_ink(orders: Orders) -> None:
    century = forecast_century()
    figures = (
        (draw_orders, orders_figure(orders)),
        (draw_century, century_figure(century, exhaust_stocks(century))),
    )
    for draw, figure in figures:
        first, again = (render_svg(draw(figure)) for _ in range(2))
        assert first == again
