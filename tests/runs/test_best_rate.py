import numpy as np

from isoflop.runs.best_rate import keep_best_rate, several_rates
from isoflop.runs.table import RunTable


def rows_of(rung: str, n_params: float, n_tokens: float, losses: dict[float, list]) -> list[dict]:
    return [
        {
            "run": f"{rung}-s{seed}-t{n_tokens:g}-lr{lr:g}", "rung": rung, "n_params": n_params,
            "n_tokens": n_tokens, "lr": lr, "seed": seed, "loss": loss,
            "status": "finished" if loss else "diverged",
        }
        for lr, found in losses.items()
        for seed, loss in enumerate(found)
    ]  # fmt: skip


def kept(records: list[dict]) -> tuple[list[str], list]:
    table, findings = keep_best_rate(RunTable.from_records(records))
    return table.names(), findings


def test_all_seeds_of_the_best_mean_are_kept_in_every_cell() -> None:
    records = [
        # the lowest single loss, 1.9, is not of the best rate
        *rows_of("a", 1e4, 1e6, {0.001: [2.2, 2.3], 0.002: [2.1, 2.1], 0.004: [1.9, 2.6]}),
        *rows_of("a", 1e4, 2e6, {0.001: [2.0, 2.0], 0.002: [2.1, 2.1], 0.004: [2.2, 2.2]}),
    ]
    names, (finding,) = kept(records)
    assert names == [
        "a-s0-t1e+06-lr0.002", "a-s1-t1e+06-lr0.002", "a-s0-t2e+06-lr0.001", "a-s1-t2e+06-lr0.001"
    ]  # fmt: skip
    assert (finding.code, finding.severity) == ("best-of-several-rates", "warning")
    assert "2 of 2 cells" in finding.evidence
    assert "8 runs left out; in 1 of them it is the lowest or the highest tried" in finding.evidence


def test_a_rate_at_which_a_seed_diverged_is_not_the_best() -> None:
    names, (finding,) = kept(
        rows_of("a", 1e4, 1e6, {0.001: [2.2, 2.2], 0.002: [2.1, 2.1], 0.004: [1.9, None]})
    )
    assert names == ["a-s0-t1e+06-lr0.002", "a-s1-t1e+06-lr0.002"]
    assert finding.severity == "note"


def test_one_rate_everywhere_is_left_as_it_is() -> None:
    table = RunTable.from_records(
        rows_of("a", 1e4, 1e6, {0.001: [2.2]}) + rows_of("b", 1e5, 1e6, {0.002: [2.0]})
    )
    same, findings = keep_best_rate(table)
    assert same is table
    assert findings == []
    assert several_rates(table) == 0


def test_shapes_of_one_size_are_cells_of_their_own() -> None:
    wide = rows_of("wide", 1e4, 1e6, {0.001: [2.2], 0.002: [2.1]})
    deep = rows_of("deep", 1e4, 1e6, {0.001: [2.0], 0.002: [2.3]})
    table = RunTable.from_records(wide + deep)
    assert several_rates(table) == 2
    best, _ = keep_best_rate(table)
    np.testing.assert_array_equal(best.numbers("loss"), [2.1, 2.0])
