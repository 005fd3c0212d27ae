"""B_crit(L) planted in batch sweeps: found, covered, saved, and refused where nothing is told."""

from pathlib import Path

import numpy as np
import pytest

from isoflop.base.errors import InputError, RefusalError
from isoflop.fitting.batch.critical import fit_critical_batch
from isoflop.fitting.batch.crossings import are_curves, first_crossing, steps_to_losses
from isoflop.fitting.saved import read_fit, write_fit
from isoflop.plan.kaplan.batch import plan_batch_for_loss
from isoflop.runs.table import RunTable

B_STAR, ALPHA_B = 4e7, 0.21
TARGETS = (3.6, 3.2, 2.8, 2.5)
BATCHES = (4e3, 2e4, 1e5, 5e5, 2.5e6)


def sweep(
    rng: np.random.Generator, *, run_noise: float, row_noise: float, seeds: int = 1
) -> RunTable:
    """Steps to every target: each run's own luck, shared by its targets, and each row's."""
    rows = []
    for batch in BATCHES:
        for seed in range(seeds):
            luck = run_noise * rng.standard_normal()
            for loss in TARGETS:
                fewest = 2e3 * (2.5 / (loss - 1.2)) ** 1.4
                steps = fewest * (1 + B_STAR / loss ** (1 / ALPHA_B) / batch)
                steps *= np.exp(luck + row_noise * rng.standard_normal())
                run = f"b{batch:g}-{seed}" + ("" if run_noise else f"-{loss}")
                rows.append({"run": run, "batch_tokens": batch, "loss": loss, "steps": steps})
    return RunTable.from_records(rows)


def count_covered(n: int, **noise) -> np.ndarray:
    """Shares of intervals of B_star, alpha_B and B_crit(2.8) that hold the truth."""
    rng, hits = np.random.default_rng(0), np.zeros(3)
    truths = (B_STAR, ALPHA_B, B_STAR / 2.8 ** (1 / ALPHA_B))
    for i in range(n):
        found = fit_critical_batch(sweep(rng, **noise), seed=i)
        estimates = (*found.fit.params.values(), found.critical_batch(2.8))
        for k, (estimate, true) in enumerate(zip(estimates, truths, strict=True)):
            assert estimate.low is not None
            assert estimate.high is not None
            hits[k] += estimate.low <= true <= estimate.high
    return hits / n


def test_a_planted_law_is_found_exactly_without_noise() -> None:
    found = fit_critical_batch(sweep(np.random.default_rng(0), run_noise=0.0, row_noise=0.0))
    assert found.fit.theta == pytest.approx([B_STAR, ALPHA_B], rel=1e-6)
    assert [trade.loss for trade in found.trades] == sorted(TARGETS, reverse=True)
    critical = [trade.critical_batch.value for trade in found.trades]
    assert critical == pytest.approx(B_STAR / np.array(sorted(TARGETS)[::-1]) ** (1 / ALPHA_B))


def test_intervals_cover_with_noise_of_every_row() -> None:
    covered = count_covered(60, run_noise=0.0, row_noise=0.1)
    assert (covered > 0.78).all()


@pytest.mark.study
def test_intervals_cover_at_their_level_with_noise_of_runs_or_of_rows() -> None:
    for noise in ({"run_noise": 0.0, "row_noise": 0.1}, {"run_noise": 0.05, "row_noise": 0.02}):
        covered = count_covered(300, seeds=2, **noise)
        assert (covered > 0.86).all()
        assert (covered < 0.985).all()


def test_runs_that_lend_their_luck_to_every_target_are_left_out_one_at_a_time() -> None:
    rng = np.random.default_rng(3)
    shared = fit_critical_batch(sweep(rng, run_noise=0.05, row_noise=0.01))
    assert shared.unit == "run"
    assert shared.fit.interval.cluster == "run"
    apart = fit_critical_batch(sweep(rng, run_noise=0.0, row_noise=0.05))
    assert apart.unit == "row"


def test_the_law_is_saved_and_serves_a_plan(tmp_path: Path) -> None:
    found = fit_critical_batch(sweep(np.random.default_rng(1), run_noise=0.0, row_noise=0.05))
    path = write_fit(found.fit, tmp_path / "critical.json")
    again = read_fit(path)
    assert again.to_dict() == found.fit.to_dict()
    plan = plan_batch_for_loss(2.6, 1.5e9, critical_law=str(path))
    assert plan.critical_batch.value == pytest.approx(found.critical_batch(2.6).value)
    assert plan.critical_batch.low is not None


def test_sizes_share_the_critical_batch_but_not_their_steps() -> None:
    rows = [
        {"n_params": size, "batch_tokens": b, "loss": loss, "steps": k * (1 + crit / b)}
        for size, k in ((1e5, 100.0), (1e6, 40.0))
        for loss, crit in ((3.0, 1e4), (2.5, 3e4))
        for b in (1e3, 1e4, 1e5)
    ]
    found = fit_critical_batch(RunTable.from_records(rows))
    assert len(found.trades) == 4
    assert found.critical_batch(3.0).value == pytest.approx(1e4, rel=1e-6)
    assert found.critical_batch(2.5).value == pytest.approx(3e4, rel=1e-6)


def test_steps_are_read_off_curves_where_they_first_cross() -> None:
    steps = np.array([1.0, 2.0, 4.0, 8.0])
    assert first_crossing(steps, 8 / steps, 3.0) == pytest.approx(8 / 3)
    assert first_crossing(steps, np.array([8.0, 3.0, 5.0, 1.0]), 4.0) == pytest.approx(
        np.exp(np.log(2) * np.log(2) / np.log(8 / 3))
    )
    assert first_crossing(steps, 8 / steps, 0.5) is None
    assert first_crossing(steps, 8 / steps, 9.0) is None


def test_curves_give_the_law_they_were_made_from() -> None:
    rows, rng = [], np.random.default_rng(0)
    for batch in BATCHES:
        for loss in np.geomspace(4.5, 2.0, 40) * rng.uniform(0.99, 1.01):
            steps = 2e3 * (2.5 / (loss - 1.2)) ** 1.4 * (1 + B_STAR / loss ** (1 / ALPHA_B) / batch)
            rows.append({"run": f"{batch:g}", "batch_tokens": batch, "loss": loss, "steps": steps})
    curves = RunTable.from_records(rows)
    assert are_curves(curves)
    reached = steps_to_losses(curves, n_targets=5)
    assert not are_curves(reached)
    assert len(reached) == 25
    found = fit_critical_batch(reached)
    assert found.fit.theta[1] == pytest.approx(ALPHA_B, rel=0.01)
    assert found.critical_batch(2.5).value == pytest.approx(B_STAR / 2.5 ** (1 / 0.21), rel=0.01)


def test_what_a_sweep_cannot_tell_is_refused() -> None:
    def table(batches, losses, steps) -> RunTable:
        rows = [
            {"batch_tokens": b, "loss": loss, "steps": steps(b, loss)}
            for b in batches
            for loss in losses
        ]
        return RunTable.from_records(rows)

    with pytest.raises(RefusalError, match="two are needed"):
        fit_critical_batch(table((1e3, 1e4, 1e5), (3.0,), lambda b, loss: 9 + 1e5 / b))
    with pytest.raises(RefusalError, match="far above every batch"):
        fit_critical_batch(table((1e3, 1e4, 1e5), (3.0, 2.5), lambda b, loss: 1e9 / loss / b))
    with pytest.raises(RefusalError, match="not as a falling power"):
        fit_critical_batch(
            table((1e3, 1e4, 1e5), (3.0, 2.5), lambda b, loss: 9 * (1 + 1e3 * loss**2 / b))
        )
    with pytest.raises(InputError, match="needs a column `steps`"):
        fit_critical_batch(RunTable.from_records([{"batch_tokens": 1.0, "loss": 1.0}]))
    rows = [
        {"run": run, "batch_tokens": 64, "steps": step, "loss": loss}
        for run, losses in (("a", (5.0, 4.0)), ("b", (3.0, 2.0)))
        for step, loss in enumerate(losses, start=1)
    ]
    with pytest.raises(RefusalError, match="share no losses"):
        steps_to_losses(RunTable.from_records(rows))
