"""`isoflop race` on two files: columns derived where they are absent, laws of every kind."""

import pytest
from planted import SURFACES, isoflop_design, make_table

from isoflop.exchange.run_tables import write_runs

EPOCH = SURFACES["epoch"]
FAST = ("--bootstrap", "40")


@pytest.fixture
def rivals(tmp_path) -> tuple[str, str]:
    """A table without tokens and one with them."""
    N, D = isoflop_design(EPOCH, points=9)
    a = make_table(EPOCH, N, D, noise=0.003, seed=1).records()
    b = make_table((1.75, *EPOCH[1:]), N, D, noise=0.003, seed=2)
    path = tmp_path / "a.csv"
    rows = [f"{r['n_params']!r},{r['flops']!r},{r['loss']!r}" for r in a]
    path.write_text("\n".join(["n_params,flops,loss", *rows]) + "\n", encoding="utf-8")
    return path.name, write_runs(b, tmp_path / "b.csv").name


def test_a_column_is_derived_only_in_the_table_that_lacks_it(isoflop, rivals) -> None:
    result = isoflop("race", *rivals, "--derive", "n_tokens", *FAST)
    assert result.code == 0
    assert "n_tokens: as recorded in b.csv, derived in a.csv only" in result.err
    assert "B wins" in result.out


def test_a_column_that_both_tables_have_is_not_derived(isoflop, rivals) -> None:
    result = isoflop("race", rivals[1], rivals[1], "--derive", "n_tokens", *FAST)
    assert result.code == 2
    assert "already recorded" in result.error
