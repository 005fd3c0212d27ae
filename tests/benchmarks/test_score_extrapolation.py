"""The study of scores extrapolated and mapped, on a few of its studies."""

import pytest

from benchmarks.score_extrapolation import PUBLISHED, TASKS, study


@pytest.mark.parametrize("task", TASKS, ids=["perfect", "floor"])
def test_loss_then_map_foresees_what_curves_through_scores_do_not(task) -> None:
    row = study(task, 12)
    assert row["zeros"] == pytest.approx(PUBLISHED["zeros"], abs=0.04)
    assert row["logistic"]["mean"] > 0.2
    mapped = row["loss, then map"]
    assert abs(mapped["mean"]) < 0.02
    assert -0.06 < mapped["low"] < mapped["high"] < 0.04
    assert mapped["coverage"] >= 0.6
