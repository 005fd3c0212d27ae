"""The checkup as a whole: healthy tables raise none, every code is documented and tested."""

import re
from pathlib import Path

import numpy as np
import pytest
from faulty import codes, ladder, noisy, rows
from spoiled import spoil

from benchmarks._healthy import studies
from benchmarks.false_alarms import WORST, alarms
from isoflop.base.errors import InputError, IsoflopError
from isoflop.exchange.run_tables import read_runs
from isoflop.plan.checkup.diagnosis import PAGE
from isoflop.plan.checkup.examine import CODES, ORDER, check_runs

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def few():
    return alarms(studies(20, seed=1))


def test_healthy_studies_raise_almost_nothing(few):
    assert few.n_studies == 20
    assert max(few.counts.values(), default=0) <= 1


@pytest.mark.study
def test_false_alarms_are_at_most_one_in_twenty_for_every_finding():
    found = alarms(studies(200))
    assert {code: n for code, n in found.counts.items() if n > WORST * 200} == {}


def test_every_code_has_a_section_and_every_finding_a_code():
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    sections = re.findall(r"^## `([a-z0-9-]+)`$", page, re.M)
    assert sorted(sections) == sorted(CODES)
    source = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "isoflop/plan/checkup").glob("*.py")
    )
    assert set(re.findall(r'code="([a-z0-9-]+)"', source)) <= set(CODES)


def test_every_code_is_planted_in_a_test():
    text = "".join(p.read_text(encoding="utf-8") for p in Path(__file__).parent.glob("test_*.py"))
    assert [code for code in CODES if f'"{code}"' not in text] == []


def test_errors_come_first_and_then_what_wastes_most():
    N, D, L = ladder()
    table = rows(N, D, noisy(L), warmup_tokens=np.full(len(N), 4e8),
                 tokenizer=["a" if k % 2 else "b" for k in range(len(N))])  # fmt: skip
    checkup = check_runs(table)
    ranks = [ORDER.index(found.severity) for found in checkup.findings]
    assert ranks == sorted(ranks)
    assert checkup.has_errors
    assert str(checkup).startswith("memory: 63 rows, 63 fitted; 1 error, ")


def test_findings_without_a_surface_are_still_found():
    _N, D, L = ladder()
    one_size = rows(np.full(10, 1e8), D[:10], L[:10].round(1))
    assert {"one-size", "rounded-losses"} <= codes(one_size)
    assert "lr-not-bracketed" in codes(
        [{"flops": 1e18 * k, "loss": 3 - 0.1 * k} for k in (1, 2, 3)]
    )


@pytest.mark.parametrize(
    ("gone", "says"),
    [
        ("loss", "column `loss` is needed and absent (found: n_params, n_tokens, flops); name it"),
        ("n_tokens", "record it, or ask for D = C/6N with --derive n_tokens"),
    ],
)
def test_a_table_no_surface_can_be_fitted_to_is_an_error(gone, says):
    N, D, L = ladder()
    checkup = check_runs(
        [{k: v for k, v in row.items() if k != gone} for row in rows(N, D, noisy(L))]
    )
    (found,) = [each for each in checkup.findings if each.code == "no-surface"]
    assert says in found.evidence
    assert "63 rows, 63 usable, none fitted; " in str(checkup)
    assert checkup.has_errors


def test_sizes_alone_are_an_error_and_scores_or_a_curve_a_warning():
    N, D, L = ladder()
    alone = [{"n_params": n, "loss": loss} for n, loss in zip(N, L, strict=True)]
    scores = [{"flops": 1e20 * n, "accuracy": 0.3 + 0.01 * k} for k, n in enumerate(N[:9])]
    assert check_runs(alone).has_errors
    assert not check_runs(scores).has_errors
    curve = [{"flops": c, "loss": loss} for c, loss in zip(6 * N * D, L, strict=True)]
    assert not check_runs(curve).has_errors
    assert check_runs([{**row, "params_M": 7.0} for row in curve]).has_errors
    assert "no-surface" in codes(alone) & codes(scores) & codes(curve)
    assert "no-surface" not in codes(rows(N, D, noisy(L)))
    assert "no-surface" in codes(rows(N[:5] * [1, 2, 4, 1, 2], D[:5], L[:5]))  # five runs


def test_impossible_and_unlikely_amounts_are_findings():
    N, D, L = ladder()
    assert "impossible-values" in codes(rows(N, D, 30 + L))
    assert "units-unlikely" in codes(rows(N, D, L, flops=6e-12 * N * D))  # in teraFLOPs
    assert "flops-disagree" in codes(rows(N, D, L, flops=60.1 * N * D))
    worse = L.copy()
    worse[3] = 14.0
    assert "worse-than-guessing" in codes(rows(N, D, worse))
    assert "loss-unit-unsure" in codes(rows(N, D, L / 3.2))


def test_findings_name_the_runs_where_they_have_names():
    N, D, L = ladder()
    L = np.where(np.arange(len(N)) % 3 == 0, 1.3, 1.0) * L
    labels = ["a" if k % 3 else "b" for k in range(len(N))]
    named = [f"run-{k}" for k in range(len(N))]
    said = str(check_runs(rows(N, D, L, tokenizer=labels, run=named)))
    assert (
        "  runs: run-0, run-3, run-6, run-9, run-12, run-15, run-18, run-21 and 13 more\n"
        "  rows: 1, 4, 7, 10, 13, 16, 19, 22 and 13 more"
    ) in said
    assert "  runs: " not in str(check_runs(rows(N, D, L, tokenizer=labels)))


def test_every_row_concerned_has_its_name_in_the_document():
    N, D, L = ladder()
    labels = ["a" if k % 2 else "b" for k in range(len(N))]
    table = rows(N, D, noisy(L), tokenizer=labels, run=[f"run-{k}" for k in range(len(N))])
    document = check_runs(table).to_dict()
    (found,) = [each for each in document["findings"] if each["code"] == "mixed-tokenizers"]
    assert len(found["rows"]) == 31
    assert found["runs"] == [f"run-{row - 1}" for row in found["rows"]]


def test_corpora_and_schedules_are_told_apart():
    N, D, L = ladder()
    labels = ["a" if k % 2 else "b" for k in range(len(N))]
    found = codes(rows(N, D, noisy(L), dataset=labels, schedule=labels))
    assert {"mixed-datasets", "mixed-schedules"} <= found


def test_a_target_must_be_positive():
    N, D, L = ladder()
    with pytest.raises(InputError, match="positive"):
        check_runs(rows(N, D, L), flops=-1.0)


def test_spoiled_tables_are_examined_or_refused(tmp_path):
    examined = 0
    for seed in range(30):
        suffix, text = spoil(seed)
        path = tmp_path / f"spoiled{suffix}"
        path.write_text(text, encoding="utf-8")
        try:
            checkup = check_runs(read_runs(path))
        except IsoflopError:
            continue
        assert len(str(checkup)) > 50
        examined += 1
    assert examined > 5


@pytest.mark.parametrize(
    ("column", "severity"), [("n_params", "error"), ("loss", "error"), ("flops", "warning")]
)
def test_finished_runs_without_an_amount_are_told(column, severity):
    N, D, L = ladder()
    table = rows(N, D, noisy(L), flops=6 * N * D, run=[f"r{k}" for k in range(len(N))])
    table[4][column] = None
    (found,) = [each for each in check_runs(table).findings if each.code == "missing-values"]
    assert (found.severity, found.rows, found.runs) == (severity, (5,), ("r4",))
    assert f"1 finished run of 63 without a value: `{column}` in 1" in found.evidence
    table[4]["status"] = "running"
    assert "missing-values" not in codes([{"status": "finished", **row} for row in table])
