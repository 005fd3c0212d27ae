"""S_min, E_min and C_min of runs, and the laws they give."""

import numpy as np
import pytest

import isoflop
from isoflop.base.errors import InputError
from isoflop.plan.kaplan.adjust import adjust_runs
from isoflop.runs.table import RunTable


def planted_runs() -> RunTable:
    """Runs of Kaplan's law of N and S_min, each at a batch of its own."""
    rng, rows = np.random.default_rng(0), []
    for n_params in np.geomspace(1e6, 1e9, 7):
        for steps_min in np.geomspace(3e3, 3e5, 6):
            loss = (6.5e13 / n_params) ** 0.077 + (2.1e3 / steps_min) ** 0.76
            critical = 2.1e8 / loss ** (1 / 0.21)
            batch = critical * np.exp(rng.uniform(-2, 2))
            steps = steps_min * (1 + critical / batch)
            rows.append(
                {
                    "n_params": n_params,
                    "loss": loss,
                    "batch_tokens": batch,
                    "steps": steps,
                    "n_tokens": steps * batch,
                    "flops": 6 * n_params * steps * batch,
                }
            )
    return RunTable.from_records(rows)


def test_adjusted_runs_obey_the_hyperbola() -> None:
    table = planted_runs()
    adjusted, _ = adjust_runs(table)
    over_steps = adjusted.numbers("steps_taken") / adjusted.numbers("steps")
    over_tokens = adjusted.numbers("n_tokens_taken") / adjusted.numbers("n_tokens")
    assert (over_steps - 1) * (over_tokens - 1) == pytest.approx(1.0)
    over_flops = adjusted.numbers("flops_taken") / adjusted.numbers("flops")
    assert over_flops == pytest.approx(over_tokens)
    ratio = adjusted.numbers("n_tokens") / adjusted.numbers("steps")
    assert ratio == pytest.approx(adjusted.numbers("critical_batch"))
    assert table.numbers("steps") == pytest.approx(adjusted.numbers("steps_taken"))


def test_adjusted_runs_give_back_the_law_of_n_and_s_min_and_raw_ones_do_not() -> None:
    table = planted_runs()
    adjusted, _ = adjust_runs(table)
    found = isoflop.fit(adjusted, "kaplan-ns")
    assert found.theta == pytest.approx([0.077, 0.76, 6.5e13, 2.1e3], rel=0.01)
    raw = isoflop.fit(table, "kaplan-ns")
    assert abs(raw.theta[1] / 0.76 - 1) > 0.1


def test_tokens_over_batches_stand_in_for_steps() -> None:
    table = planted_runs()
    rows = [{k: v for k, v in row.items() if k != "steps"} for row in table.records()]
    assert adjust_runs(RunTable.from_records(rows))[0].numbers("steps") == pytest.approx(
        adjust_runs(table)[0].numbers("steps")
    )


def test_what_cannot_be_adjusted_is_refused() -> None:
    row = {"loss": 3.0, "batch_tokens": 1e5, "steps": 100.0}
    with pytest.raises(InputError, match="column `batch_tokens`"):
        adjust_runs(RunTable.from_records([{"loss": 3.0, "steps": 1.0}]))
    with pytest.raises(InputError, match="`steps` or `n_tokens`"):
        adjust_runs(RunTable.from_records([{"loss": 3.0, "batch_tokens": 1e5}]))
    with pytest.raises(InputError, match="losses are in nats/byte"):
        adjust_runs(RunTable.from_records([{**row, "loss_unit": "nats/byte"}]))
    with pytest.raises(InputError, match="needed: critical-batch"):
        adjust_runs(RunTable.from_records([row]), "kaplan-2020-ns")
