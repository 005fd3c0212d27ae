"""What a planner proposes as a ladder file: lab and planner meet in it alone."""

import math

import pytest

from isoflop.accounting.params import count_params
from isoflop.base.errors import InputError
from isoflop.plan.design.as_ladder import Trained, far_sizes, ladder_of_runs
from isoflop.plan.design.ladder import design_ladder
from isoflop.runs.designs.tables import ProposedRuns
from isoflop.runs.ladders.print import print_spec
from isoflop.runs.ladders.toml import parse_ladder


def test_every_proposed_run_is_in_the_ladder_at_about_its_size() -> None:
    design = design_ladder("besiroglu-2024", 1e15, 1e17, max_runs=12)
    asked = list(zip(design.runs.n_params, design.runs.n_tokens, strict=True))
    ladder = ladder_of_runs(asked, Trained(n_layer=4))
    trained = [(run.params.total, run.n_tokens) for run in ladder.runs()]
    assert len(trained) == len(asked)
    close = 0
    for n_params, n_tokens in asked:
        close += any(
            abs(math.log(n / n_params)) < math.log(1.2) and abs(d / n_tokens - 1) < 0.01
            for n, d in trained
        )
    assert close >= len(asked) - len(far_sizes(ladder))
    assert isinstance(ladder.design, ProposedRuns)
    assert parse_ladder(print_spec(ladder)) == ladder


def test_sizes_may_be_counted_without_embeddings() -> None:
    (rung,) = ladder_of_runs([(1e6, 1e7)], Trained(n_layer=3, counting="non_embedding")).rungs
    assert count_params(rung.architecture).non_embedding == pytest.approx(1e6, rel=0.05)


def test_a_size_no_shape_has_is_told() -> None:
    ((asked, near),) = far_sizes(ladder_of_runs([(100.0, 1e6)], Trained(n_layer=2)))
    assert asked == 100
    assert near > 1000


def test_no_runs_make_no_ladder() -> None:
    with pytest.raises(InputError, match="found no runs"):
        ladder_of_runs([])


def test_runs_too_short_to_train_are_told_with_what_was_proposed_and_what_helps() -> None:
    runs = [(89.5, 5486.2), (5730.0, 288.7), (900.0, 2500.0), (626.0, 7268.9)]
    with pytest.raises(InputError) as refused:
        ladder_of_runs(runs, Trained(n_layer=1))
    said = str(refused.value)
    assert said.startswith(
        "2 of 4 proposed runs are too short to train: the shortest is 5730 parameters on 289 "
        "tokens, and a run takes at least 10 steps of 256 tokens; "
    )
    assert all(option in said for option in ("--smallest", "--budget", "--spread", "--largest"))
    assert "rungs[" not in said


def test_ten_steps_are_enough() -> None:
    runs = [(2000.0, 2560.0), (4000.0, 2559.6)]  # the ladder rounds tokens
    trained = [run.steps for run in ladder_of_runs(runs, Trained(n_layer=1)).runs()]
    assert trained == [10, 10]
