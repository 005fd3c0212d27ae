"""Approach 3: what it recovers, what it refuses, what it says."""

import json

import numpy as np
import pytest
from planted import SURFACES, chinchilla, grid_design, isoflop_design, make_table, table_of

import isoflop
from isoflop.base.errors import InputError, RunTableError, UnderdeterminedError, UnknownNameError
from isoflop.base.strict_json import dumps
from isoflop.fitting.foresight.foresight import predict_loss
from isoflop.fitting.methods import only_variable, require_method
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.laws.power import PowerLaw
from isoflop.runs.table import RunTable

EPOCH = SURFACES["epoch"]
QUICK = FitSpec(n_resamples=100, n_starts=8)


def noisy_table(seed: int = 0, noise: float = 0.005) -> RunTable:
    return make_table(EPOCH, *isoflop_design(EPOCH, points=9), noise=noise, seed=seed)


def codes(fit) -> list[str]:
    return [finding.code for finding in fit.findings]


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others() -> None:
    first, again, other = (
        fit_parametric(noisy_table(), ChinchillaLaw(), FitSpec(n_resamples=60, n_starts=8, seed=s))
        for s in (3, 3, 4)
    )
    assert dumps(first.to_dict()) == dumps(again.to_dict())
    assert first.draws.tobytes() == again.draws.tobytes()
    assert first.draws.tobytes() != other.draws.tobytes()
    assert first.theta == pytest.approx(other.theta, rel=1e-6)  # the minimum is one


def test_the_exponents_of_the_optimum_follow_from_the_parameters() -> None:
    fit = fit_parametric(noisy_table(), ChinchillaLaw(), QUICK)
    _, A, B, alpha, beta = fit.theta
    assert fit.derived["a"].value == pytest.approx(beta / (alpha + beta), rel=1e-14)
    assert fit.derived["b"].value == pytest.approx(alpha / (alpha + beta), rel=1e-14)
    G = (alpha * A / (beta * B)) ** (1 / (alpha + beta))
    assert fit.derived["G"].value == pytest.approx(G, rel=1e-12)


def test_a_fit_is_one_json_object_with_the_contracts_keys() -> None:
    document = json.loads(dumps(fit_parametric(noisy_table(), ChinchillaLaw(), QUICK).to_dict()))
    promised = {"law", "method", "n_runs", "objective", "params", "derived", "outcome", "findings"}
    assert promised | {"data"} <= set(document)
    assert list(document["params"]) == ["E", "A", "B", "alpha", "beta"]
    assert {"a", "b"} <= set(document["derived"])
    assert document["data"]["sha256"] == noisy_table().sha256()
    for estimate in document["params"].values():
        assert estimate["low"] <= estimate["value"] <= estimate["high"]
        assert estimate["level"] == 0.9


def test_the_objective_is_the_sum_over_runs_not_the_mean() -> None:
    spec = FitSpec(Objective("squared"), n_resamples=0, n_starts=8)
    fit = fit_parametric(noisy_table(), ChinchillaLaw(), spec)
    assert fit.objective_value == pytest.approx(0.5 * np.sum(fit.residuals**2), rel=1e-12)


def test_a_higher_level_gives_a_wider_interval() -> None:
    narrow, wide = (
        fit_parametric(noisy_table(), ChinchillaLaw(), FitSpec(n_resamples=200, level=level))
        for level in (0.5, 0.95)
    )
    for name, estimate in narrow.params.items():
        assert wide.params[name].low < estimate.low < estimate.high < wide.params[name].high


def test_without_resamples_there_are_no_intervals() -> None:
    fit = fit_parametric(noisy_table(), ChinchillaLaw(), FitSpec(n_resamples=0))
    assert all(estimate.low is None for estimate in fit.params.values())


def test_clusters_of_copies_widen_the_interval_by_the_root_of_their_size() -> None:
    C = np.repeat(np.geomspace(1e17, 1e22, 30), 4)
    offsets = np.repeat(np.random.default_rng(0).normal(0, 0.01, 30), 4)
    jitter = np.random.default_rng(1).normal(0, 1e-4, 120)
    loss = 60 * C**-0.07 * np.exp(offsets + jitter)
    rows = [
        {"flops": c, "loss": x, "family": f"rung{k // 4}"}
        for k, (c, x) in enumerate(zip(C.tolist(), loss.tolist(), strict=True))
    ]
    table = RunTable.from_records(rows)
    single, *grouped = (
        fit_parametric(
            table,
            PowerLaw("flops"),
            FitSpec(Objective("squared"), 800, cluster, n_starts=4, interval=interval),
        )
        .params["alpha"]
        .half_width
        for cluster, interval in (
            ("", "wald"),
            ("family", "auto"),
            ("", "auto"),  # which finds the families by itself
            ("family", "cluster-bootstrap"),
        )
    )
    for width in grouped:
        assert width / single == pytest.approx(2.0, rel=0.25)


def test_a_cluster_column_must_exist_and_hold_two_clusters() -> None:
    with pytest.raises(UnknownNameError, match="unknown column 'famly'"):
        fit_parametric(noisy_table(), ChinchillaLaw(), FitSpec(cluster="famly"))
    C = np.geomspace(1e17, 1e22, 8)
    rows = [{"flops": c, "loss": 60 * c**-0.07, "family": "x"} for c in C.tolist()]
    with pytest.raises(InputError, match="two clusters or more"):
        fit_parametric(
            RunTable.from_records(rows * 4), PowerLaw("flops"), FitSpec(cluster="family")
        )


@pytest.mark.parametrize("field", [{"level": 0.0}, {"level": 1.0}, {"level": float("nan")}])
def test_a_level_outside_zero_and_one_is_refused(field: dict[str, float]) -> None:
    with pytest.raises(InputError, match="level must lie between 0 and 1"):
        FitSpec(**field)  # type: ignore[arg-type]


@pytest.mark.parametrize("field", [{"n_resamples": -1}, {"n_starts": 0}])
def test_a_fit_without_starts_is_refused(field: dict[str, int]) -> None:
    with pytest.raises(InputError, match="at least one start"):
        FitSpec(**field)  # type: ignore[arg-type]


def test_no_more_runs_than_parameters_is_refused() -> None:
    N, D = grid_design()
    for count in (1, 5):
        with pytest.raises(InputError, match="cannot determine the 5 parameters of chinchilla"):
            fit_parametric(make_table(EPOCH, N[:count], D[:count]), ChinchillaLaw())


def test_copies_are_no_runs() -> None:
    N, D = grid_design()
    table = make_table(EPOCH, np.repeat(N[:4], 2500), np.repeat(D[:4], 2500))
    with pytest.raises(InputError, match=r"4 distinct runs \(10000 rows, all copies\)"):
        fit_parametric(table, ChinchillaLaw())


def test_duplicates_among_enough_runs_are_a_finding() -> None:
    N, D = grid_design()
    table = make_table(EPOCH, np.append(N, N[:3]), np.append(D, D[:3]))
    assert codes(fit_parametric(table, ChinchillaLaw(), QUICK)) == ["duplicate-runs"]


def test_designs_that_cannot_tell_the_exponents_apart_are_refused() -> None:
    N = np.geomspace(1e7, 1e10, 12)
    designs = {
        "lie on one ray": (N, 20 * N),
        "`n_params` takes one value only": (np.full(12, 1e8), N),
        "`n_tokens` takes one value only": (N, np.full(12, 1e9)),
        "exponent -1.00": (N, 1e20 / (6 * N)),  # a single budget
    }
    for reason, (params, tokens) in designs.items():
        with pytest.raises(UnderdeterminedError, match=reason):
            fit_parametric(make_table(EPOCH, params, tokens, noise=0.003), ChinchillaLaw(), QUICK)


def test_good_designs_are_never_refused() -> None:
    for surface, theta in SURFACES.items():
        for design in (grid_design(theta), isoflop_design(theta, points=5, half_width=2)):
            fit = fit_parametric(make_table(theta, *design, noise=0.005), ChinchillaLaw(), QUICK)
            assert fit.outcome.name in ("CONVERGED", "AT_BOUND"), surface


def test_five_bad_runs_are_named_and_the_move_is_told() -> None:
    N, D = grid_design()
    loss = chinchilla(EPOCH, N, D) * np.exp(np.random.default_rng(0).normal(0, 0.002, 36))
    loss[:3] *= 1.15
    spec = FitSpec(Objective("squared"), n_resamples=0)
    fit = fit_parametric(table_of(n_params=N, n_tokens=D, loss=loss), ChinchillaLaw(), spec)
    (finding,) = [f for f in fit.findings if f.code == "few-runs-move-the-answer"]
    assert finding.runs == ("row 1", "row 2", "row 3")
    a_true = EPOCH[4] / (EPOCH[3] + EPOCH[4])
    moved_to = float(finding.evidence.split(" to ")[1].split()[0])
    assert moved_to == pytest.approx(a_true, abs=0.02)
    assert finding.evidence.startswith("without 3 of 36 runs, a goes from ")


def test_clean_noise_moves_nothing() -> None:
    found = [codes(fit_parametric(noisy_table(seed), ChinchillaLaw(), QUICK)) for seed in range(20)]
    assert sum(map(len, found)) <= 1


def test_the_interval_for_a_future_run_is_wider_than_for_the_mean() -> None:
    fit = fit_parametric(noisy_table(), ChinchillaLaw(), FitSpec(n_resamples=400))
    at = {"n_params": np.array([1e9, 7e10]), "n_tokens": np.array([2e10, 1.4e12])}
    future, mean = predict_loss(fit, at), predict_loss(fit, at, future=False)
    assert [e.value for e in future] == [e.value for e in mean]
    for wide, narrow in zip(future, mean, strict=True):
        assert wide.low < narrow.low < narrow.high < wide.high
    half = (np.log(future[0].high) - np.log(future[0].low)) / 2
    assert half == pytest.approx(1.645 * 0.005, rel=0.35)  # in the middle of the data: the noise


def test_one_door_leads_to_three_methods() -> None:
    table = noisy_table()
    assert isoflop.fit(table, "Chinchilla", spec=QUICK).method == "parametric"
    assert isoflop.fit(table, method="isoflop", spec=QUICK).method == "isoflop"
    with pytest.raises(InputError, match=r"an envelope needs four"):
        isoflop.fit(table, method="envelope", spec=QUICK)
    with pytest.raises(UnknownNameError, match=r"did you mean parametric\?"):
        isoflop.fit(table, method="parametrik")  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"did you mean isoflop\?"):
        require_method("isoflops")


def test_the_variable_of_a_law_is_guessed_only_where_there_is_one() -> None:
    C = np.geomspace(1e17, 1e22, 8)
    table = table_of(flops=C, loss=60 * C**-0.07)
    assert only_variable(table) == "flops"
    assert isoflop.fit(table, "power", spec=QUICK).params["alpha"].value == pytest.approx(0.07)
    with pytest.raises(InputError, match="say which, such as --over"):
        isoflop.fit(noisy_table(), "power")


def test_a_table_without_the_laws_columns_is_refused() -> None:
    with pytest.raises(RunTableError, match="column `n_tokens` is needed and absent"):
        isoflop.fit(RunTable.from_records([{"n_params": 1e6, "loss": 3.0}]), "chinchilla")


def test_the_card_says_what_was_fitted_and_how_far_to_trust_it() -> None:
    fit = fit_parametric(noisy_table(), ChinchillaLaw(), QUICK)
    card = str(fit)
    for expected in (
        "chinchilla: loss = E + A/n_params**alpha + B/n_tokens**beta",
        "45 runs from memory",
        fit.data.sha256[:12],
        "converged: the gradient vanishes to machine precision",
        f"alpha              {fit.params['alpha']}",
        "robust, no say beyond ",
        "nats/token (assumed)",
    ):
        assert expected in card
