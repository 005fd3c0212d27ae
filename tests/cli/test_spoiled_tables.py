"""Whatever a table looks like, a fit ends in an answer or in one line, and soon."""

import contextlib
import io
import json
import time
from collections import Counter
from pathlib import Path

import pytest
from spoiled import good_rows, spoil

from isoflop.cli.main import run
from isoflop.laws.forms import JOINT_FORMS, SINGLE_FORMS

SECONDS = 2.0
"""Longest a table may take, in CPU time, so that a busy machine changes nothing."""
PATIENT = {"bnsl2": 3.0, "bnsl3": 4.0}
"""Forms that come near it, and pass it on a core shared with others; not part of the short test."""

COLUMNS = set(good_rows(2)[0])

RECIPES: list[list[str]] = [
    *(["--law", "chinchilla", "--loss", loss] for loss in ("huber", "squared", "robust")),
    ["--law", "E + A/n_params**alpha + B/n_tokens**beta"],
    ["--law", "A/flops**alpha + b", "--param", "b=any"],
    ["--law", "chinchilla", "--fix", "E=1.9"],
    ["--law", "power", "--over", "flops"],
    ["--law", "power-constant", "--over", "n_params"],
    ["--law", "chinchilla", "--cluster", "n_params"],
    ["--law", "chinchilla", "--derive", "flops"],
    ["--law", "chinchilla", "--columns", "n_params=N,n_tokens=D"],
    ["--method", "isoflop"],
    ["--method", "envelope"],
    *(["--law", name] for name, law in JOINT_FORMS.items() if set(law.variables) <= COLUMNS),
    *(["--law", name, "--over", "n_tokens"] for name in SINGLE_FORMS if name not in PATIENT),
]
ALL_RECIPES = [*RECIPES, *(["--law", name, "--over", "n_tokens"] for name in PATIENT)]


def fit_spoiled(seed: int, recipe: list[str], folder: Path) -> tuple[int, float, str]:
    """Fit one spoiled table; return exit code, CPU seconds and what is wrong with the outcome."""
    suffix, text = spoil(seed)
    path = folder / f"spoiled{suffix}"
    path.write_text(text, encoding="utf-8", errors="surrogatepass", newline="")
    out, err = io.StringIO(), io.StringIO()
    start = time.process_time()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(["fit", str(path), *recipe, "--bootstrap", "5", "--json"])
    spent = time.process_time() - start
    errors = [line for line in err.getvalue().splitlines() if line.startswith("error: ")]
    wrong = ""
    if code not in (0, 1, 2):
        wrong = f"exit {code}"
    elif code == 2 or not out.getvalue():
        wrong = "" if len(errors) == 1 and not out.getvalue() and len(errors[0]) < 500 else "error"
    elif (errors and code == 0) or json.loads(out.getvalue())["n_runs"] < 1:
        wrong = "document"
    return code, spent, f"{wrong}: {err.getvalue()[-300:]}" if wrong else ""


def fit_many(seeds: range, recipes: list[list[str]], folder: Path) -> Counter[int]:
    """Fit many, count exit codes, and fail on the first outcome that is not allowed."""
    codes: Counter[int] = Counter()
    for seed in seeds:
        recipe = recipes[seed // 2 % len(recipes)]
        try:
            code, spent, wrong = fit_spoiled(seed, recipe, folder)
        except BaseException as error:
            raise AssertionError(f"seed {seed} ended in {type(error).__name__}") from error
        assert not wrong, f"seed {seed}: {wrong}"
        assert spent < PATIENT.get(recipe[1], SECONDS), f"seed {seed} took {spent:.1f} s"
        codes[code] += 1
    return codes


def test_three_hundred_spoiled_tables_end_in_an_answer_or_one_line(tmp_path: Path) -> None:
    codes = fit_many(range(300), RECIPES, tmp_path)
    assert codes[2] > 100
    assert codes[0] > 30


@pytest.mark.study
def test_ten_thousand_spoiled_tables_end_in_an_answer_or_one_line(tmp_path: Path) -> None:
    codes = fit_many(range(1000, 11_000), ALL_RECIPES, tmp_path)
    print(f"\n10,000 spoiled tables: {codes[0]} fitted, {codes[1]} refused, {codes[2]} bad input")
    assert sum(codes.values()) == 10_000
