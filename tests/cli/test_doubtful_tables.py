"""Tables that can be read but should not be believed: one line, or a finding, naming rows."""

import numpy as np
import pytest
from planted import SURFACES, chinchilla, grid_design, table_of

from isoflop.exchange.run_tables import write_runs

N, D = grid_design()
LOSS = chinchilla(SURFACES["epoch"], N, D) * np.exp(
    0.003 * np.random.default_rng(0).standard_normal(len(N))
)
GOOD = {"n_params": N, "n_tokens": D, "loss": LOSS}


def changed(column: str, rows: dict[int, float]) -> np.ndarray:
    values = np.array(GOOD[column], dtype=float)
    for row, value in rows.items():
        values[row - 1] = value
    return values


REFUSED = {
    "constant loss": (
        {"loss": np.full(36, 3.0)},
        1,
        "bad.csv: `loss` is 3 in every run, so there is nothing for chinchilla to explain; look at "
        "how it was recorded",
    ),
    "one size": (
        {"n_params": np.full(36, 1e8)},
        1,
        "`n_params` takes one value only (1e+08), so chinchilla cannot tell how the loss depends "
        "on it; add runs that vary it",
    ),
    "one ray": ({"n_tokens": 20 * N}, 1, "`n_params` and `n_tokens` lie on one ray"),
    "no degrees of freedom": (
        {name: values[:5] for name, values in GOOD.items()},
        2,
        "bad.csv: 5 distinct runs cannot determine the 5 parameters of chinchilla; at least 6",
    ),
    "billions of parameters": (
        {"n_params": N / 1e9},
        2,
        "bad.csv row 1 `n_params`: found 0.01 (and rows 2, 3, 4, 7, 8 and 18 more); a count cannot "
        "be below one; write it out rather than in millions or billions",
    ),
    "perplexity": (
        {"loss": np.exp(LOSS)},
        2,
        "bad.csv row 1 `loss`: found ",
    ),
    "forty nats": (
        {"loss": changed("loss", {4: 40.0})},
        2,
        "bad.csv row 4 `loss`: found 40; no model is that bad: the limit is 25 nats per token; is "
        "it a perplexity, or in another unit?",
    ),
    "less than a batch": (
        {"batch_tokens": np.full(36, 1e9)},
        2,
        "bad.csv row 1 `n_tokens`: found 2e+08 (and rows 2, 3, 4, 5, 6 and 6 more); fewer tokens "
        "than one batch of `batch_tokens`; one of them is in another unit",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_table_no_law_can_be_fitted_to_is_one_line(isoflop, case: str) -> None:
    columns, code, message = REFUSED[case]
    length = min(map(len, columns.values()))
    table = {name: values[:length] for name, values in {**GOOD, **columns}.items()}
    write_runs(table_of(**table), "bad.csv")
    result = isoflop("fit", "bad.csv", "--bootstrap", "0", "--json")
    assert result.code == code
    assert result.error.startswith(message)


FOUND = {
    "duplicated runs": (
        {name: np.concatenate([values, values[[2, 5]]]) for name, values in GOOD.items()},
        "duplicate-runs",
        "2 of 38 rows repeat another exactly (rows 37, 38)",
    ),
    "flops of another run": (
        {**GOOD, "flops": 6 * N * D * np.where(np.arange(36) == 3, 1e3, 1.0)},
        "flops-disagree",
        "row 4: `flops` is 1e+03 times 6ND",
    ),
    "a run that learned nothing": (
        {**GOOD, "loss": changed("loss", {9: 13.5})},
        "worse-than-guessing",
        "row 9: up to 13.5 nats per token, where guessing costs 13",
    ),
    "bits per byte, not said": (
        {**GOOD, "loss": LOSS / 5},
        "loss-unit-unsure",
        "no `loss_unit`; taken for nats per token, low for text",
    ),
}


@pytest.mark.parametrize("case", FOUND)
def test_a_table_to_be_doubted_is_fitted_with_a_finding(isoflop, case: str) -> None:
    columns, code, evidence = FOUND[case]
    write_runs(table_of(**columns), "odd.csv")
    law = ["--law", "power-constant", "--over", "flops"] if "flops" in columns else []
    result = isoflop("fit", "odd.csv", *law, "--bootstrap", "0", "--json")
    findings = {finding["code"]: finding for finding in result.document["findings"]}
    assert evidence in findings[code]["evidence"]
    assert findings[code]["runs"]


def test_a_good_table_has_no_finding_of_its_own(isoflop) -> None:
    write_runs(table_of(**GOOD), "good.csv")
    result = isoflop("fit", "good.csv", "--bootstrap", "0", "--json")
    assert result.code == 0
    codes = {finding["code"] for finding in result.document["findings"]}
    assert not codes & {"duplicate-runs", "flops-disagree", "worse-than-guessing",
                        "loss-unit-unsure", "units-unlikely"}  # fmt: skip
