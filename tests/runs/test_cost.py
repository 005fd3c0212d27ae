import numpy as np

from isoflop.accounting.architecture import Architecture
from isoflop.accounting.flops import flops_per_token
from isoflop.accounting.params import count_params
from isoflop.runs.cost import TokenCost, fit_cost
from isoflop.runs.table import RunTable


def toy_rows(widths=(16, 24, 32, 48, 64, 96), n_layer=2):
    rows = []
    for d in widths:
        shape = Architecture(
            n_layer=n_layer, d_model=d, n_head=1, n_ctx=64, n_vocab=256, tied=False,
            positions="rotary",
        )  # fmt: skip
        params = count_params(shape)
        rows.append(
            {
                "n_params": params.non_embedding + params.head,
                "n_tokens": 1e6,
                "flops": 1e6 * flops_per_token(shape).matmul,
                "loss": 2.0,
            }
        )
    return rows


def test_toy_ladders_cost_more_than_six_n_by_attention_and_the_fit_finds_it():
    table = RunTable.from_records(toy_rows())
    cost = fit_cost(table)
    predicted = cost.flops_per_token(table.numbers("n_params"))
    exact = table.numbers("flops") / table.numbers("n_tokens")
    assert np.max(np.abs(predicted / exact - 1)) < 0.03
    assert np.max(6 * table.numbers("n_params") / exact) < 0.97


def test_a_planted_cost_is_recovered_exactly():
    planted = TokenCost(250.0)
    N = np.geomspace(1e4, 1e6, 7)
    rows = [
        {"n_params": n, "n_tokens": 1e6, "flops": 1e6 * f, "loss": 2.0}
        for n, f in zip(N, planted.flops_per_token(N), strict=True)
    ]
    assert abs(fit_cost(RunTable.from_records(rows)).per_root / 250 - 1) < 1e-12


def test_without_recorded_flops_a_token_costs_six_n():
    rows = [{"n_params": 1e6, "n_tokens": 1e8, "loss": 3.0}]
    assert fit_cost(RunTable.from_records(rows)) == TokenCost(0.0)
