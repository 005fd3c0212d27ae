"""Formulas of users: legal ones are laws, everything else is refused at once."""

import ast
import functools
import time

import numpy as np
import pytest
from formulas import ATTACKS, EXTRA_COLUMNS, LEGAL
from planted import SURFACES, grid_design, isoflop_design, make_table

import isoflop
from isoflop.base.errors import InputError
from isoflop.fitting.fit import Fit
from isoflop.fitting.parametric import FitSpec
from isoflop.laws.described import describe_law, restore_law
from isoflop.laws.forms import form_names
from isoflop.laws.formula.constants import LETTERS, parse_declaration
from isoflop.laws.formula.formula import FormulaLaw, is_formula
from isoflop.laws.formula.parser import parse_formula
from isoflop.laws.formula.steps import evaluate
from isoflop.laws.formula.tokens import FormulaError
from isoflop.testing import LawCase, LawContract
from isoflop.testing.law_contract import complex_step

CHINCHILLA = "E + A/n_params**alpha + B/n_tokens**beta"


def parse(text: str) -> FormulaLaw:
    return FormulaLaw.parse(text, columns=[*EXTRA_COLUMNS, "family"])


class TestFormulas(LawContract):
    cases = (
        LawCase(parse("A/flops**alpha"), [[20.0, 0.095]], label="power"),
        LawCase(
            parse("E + A/N**alpha + B/D**beta"),
            [[1.8172, 482.01, 0.3478, 2085.43, 0.3658]],
            label="chinchilla",
        ),
        LawCase(
            parse("((N_c/N)**(alpha_N/alpha_D) + D_c/D)**alpha_D"),
            [[6.4e13, 0.076, 0.103, 1.8e13]],
            label="kaplan",
        ),
        LawCase(
            parse("e_ds = k*e_us**alpha + e_ir"),
            [[0.7, 0.9, 0.05]],
            columns={"e_us": (0.9, 0.6, 0.4, 0.2)},
            label="abnar",
        ),
        LawCase(
            parse("c + (g/granularity**gamma + a)/N**alpha + b/D**beta"),
            [[0.47, 2.1, 0.58, 18.1, 0.115, 30.8, 0.147]],
            columns={"granularity": (1, 4, 16, 64)},
            label="krajewski",
            tolerance=1e-4,  # a and c trade places at such small exponents
        ),
        LawCase(
            FormulaLaw.parse("a + b*log(N)", params=["b=any"]), [[8.0, -0.25]], label="logarithm"
        ),
    )


@pytest.mark.parametrize("case", ATTACKS)
def test_an_attack_is_refused_with_one_clear_error_at_once(case: str) -> None:
    start = time.perf_counter()
    with pytest.raises(InputError) as caught:
        parse(ATTACKS[case])
    assert time.perf_counter() - start < 0.05
    message = str(caught.value)
    assert 20 < len(message) < 250
    assert "\n" not in message
    assert message.isprintable()


def test_there_are_sixty_attacks_and_forty_laws() -> None:
    assert len(set(ATTACKS.values())) >= 60
    assert len(set(LEGAL.values())) >= 40


@pytest.mark.parametrize("case", LEGAL)
def test_a_legal_law_is_accepted_and_its_text_reads_back(case: str) -> None:
    law = parse(LEGAL[case])
    assert law.variables
    assert law.parameters
    assert parse(f"{law.response} = {law.form}") == law
    assert restore_law(describe_law(law)) == law


BINARY = {ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide,
          ast.Pow: np.power}  # fmt: skip
CALLS = {"exp": np.exp, "log": np.log, "log1p": np.log1p, "sqrt": np.sqrt}


def evaluate_as_python(node: ast.expr, values: dict[str, np.ndarray]) -> np.ndarray:
    """What Python's own grammar makes of a formula, node by node."""
    match node:
        case ast.Constant(value=float() | int() as value):
            return np.float64(value)
        case ast.Name(id=name):
            return values[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -evaluate_as_python(operand, values)
        case ast.BinOp(left=left, op=op, right=right):
            first, second = (evaluate_as_python(side, values) for side in (left, right))
            return BINARY[type(op)](first, second)
        case ast.Call(func=ast.Name(id=name), args=args):
            given = [evaluate_as_python(arg, values) for arg in args]
            if name in CALLS:
                return CALLS[name](*given)
            pick = np.minimum if name == "min" else np.maximum
            return functools.reduce(pick, given)
    raise AssertionError(ast.dump(node))


@pytest.mark.parametrize("case", LEGAL)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_legal_law_means_what_python_means_and_its_gradient_is_exact(case: str) -> None:
    law, rng = parse(LEGAL[case]), np.random.default_rng(3)
    theta = rng.uniform(0.3, 1.7, (4, len(law.parameters)))
    columns = {name: rng.uniform(1.2, 4.0, 5) for name in law.variables}
    constants = {name: theta[:, k, None] for k, name in enumerate(law.parameter_names)}
    letters = {short: columns.get(full) for short, full in LETTERS.items()}
    text = LEGAL[case].rpartition("=")[2].strip()
    expected = evaluate_as_python(
        ast.parse(text, mode="eval").body, {**letters, **columns, **constants}
    )
    found = law.predict(theta, columns)
    assert found.shape == (4, 5)
    np.testing.assert_allclose(found, np.broadcast_to(expected, (4, 5)), rtol=1e-12)
    ok = np.isfinite(found)
    assert ok.any()
    slopes, exact = law.gradient(theta, columns), complex_step(law, theta, columns)
    np.testing.assert_allclose(slopes[ok], exact[ok], rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-x**2", -9.0),
        ("(-x)**2", 9.0),
        ("2**-x", 0.125),
        ("2**x**2", 512.0),
        ("(2**x)**2", 64.0),
        ("x - 2 - 1", 0.0),
        ("x - (2 - 1)", 2.0),
        ("12/x/2", 2.0),
        ("12/(x/2)", 8.0),
        ("12/x*2", 8.0),
        ("x*-2", -6.0),
        ("--x", 3.0),
        ("min(x, 2) + max(x, 2, 7)", 9.0),
        ("sqrt(x + 1) + exp(x - 3) + log(exp(x)) + log1p(x - 3)", 6.0),
        (".5*x + 1.e0 + 2E-1", 2.7),
    ],
)
def test_precedence_is_that_of_written_mathematics(text: str, value: float) -> None:
    assert evaluate(parse_formula(text), {"x": np.array([3.0])})[0] == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "linear"),
    [
        (CHINCHILLA, {"E", "A", "B"}),
        ("((N_c/N)**(a/b) + D_c/D)**b", set()),
        ("E + ((N_c/N)**(a/b) + D_c/D)**b", {"E"}),
        ("c + (g/granularity**gamma + a)/N**alpha + b/D**beta", {"c", "g", "a", "b"}),
        ("k*(A + B*N**-a)", {"A", "B"}),
        ("A*A*N", set()),
        ("A/N - B*(N + A)/N", {"B"}),
        ("-(A - B/N)/2", {"A", "B"}),
        ("max(E, A/N)", set()),
        ("A/(B + N)", {"A"}),
    ],
)
def test_constants_that_are_linear_are_found(text: str, linear: set[str]) -> None:
    assert set(parse(text).linear) == linear


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("loss", ["huber", "squared"])
def test_chinchilla_as_a_formula_finds_the_optimum_of_the_built_in_law(surface, loss) -> None:
    theta = SURFACES[surface]
    table = make_table(theta, *isoflop_design(theta, points=9), noise=0.005)
    spec = FitSpec(isoflop.Objective(loss), n_resamples=0)
    built_in, own = isoflop.fit(table, spec=spec), isoflop.fit(table, CHINCHILLA, spec=spec)
    assert isinstance(built_in, Fit)
    assert isinstance(own, Fit)
    assert own.objective_value == pytest.approx(built_in.objective_value, rel=1e-12)
    order = [built_in.law.parameter_names.index(name) for name in own.law.parameter_names]
    # Where the objective is flat to its last digit the parameters are to about 1e-8.
    np.testing.assert_allclose(own.theta, built_in.theta[order], rtol=5e-8)
    assert own.basins.share_best > 0.9


@pytest.mark.parametrize("surface", SURFACES)
def test_a_noise_free_surface_is_recovered_by_a_formula(surface) -> None:
    theta = SURFACES[surface]
    table = make_table(theta, *grid_design())
    found = isoflop.fit(table, CHINCHILLA, spec=FitSpec(n_resamples=0)).params
    for name, value in zip(("E", "A", "B", "alpha", "beta"), theta, strict=True):
        assert found[name].value == pytest.approx(value, rel=1e-8)


def test_a_saved_fit_of_a_formula_plans_what_the_fit_plans(tmp_path) -> None:
    theta = SURFACES["epoch"]
    table = make_table(theta, *isoflop_design(theta, points=9), noise=0.005)
    fit = isoflop.fit(table, CHINCHILLA, spec=FitSpec(n_resamples=20, n_starts=8))
    path = isoflop.write_fit(fit, tmp_path / "law.json")
    assert isoflop.write_fit(isoflop.read_fit(path), tmp_path / "2.json").read_bytes() == (
        path.read_bytes()
    )
    plan = isoflop.plan_budget(str(path), 1e22)
    expected = isoflop.plan_budget(isoflop.fit(table, spec=FitSpec(n_resamples=0)), 1e22)
    assert plan.n_params.value == pytest.approx(expected.n_params.value, rel=1e-6)


def test_capitals_of_the_field_are_columns_and_the_form_says_which() -> None:
    law = parse("E + A/N**alpha + B/D**beta")
    assert law.form == CHINCHILLA
    assert law.source == "your formula of the columns n_params, n_tokens"
    assert law.parameters == parse(CHINCHILLA).parameters


def test_a_column_of_the_table_is_a_variable_and_a_declaration_wins() -> None:
    text = "E + A/width**alpha"
    assert FormulaLaw.parse("E + A*N**-a/width**b", columns=["width"]).variables == (
        "n_params", "width")  # fmt: skip
    with pytest.raises(FormulaError, match="no column in the formula"):
        FormulaLaw.parse(text)
    law = FormulaLaw.parse("E + A/N**lr", columns=["lr"], params=["lr=0.01..2"])
    assert law.parameter_names == ("E", "A", "lr")


def test_constants_are_positive_unless_declared_otherwise() -> None:
    law = FormulaLaw.parse("b + a*log(N)", params=["a=any", "b=1..9@4"])
    bounds = {p.name: (p.low, p.high, p.scale) for p in law.parameters}
    assert bounds == {"b": (1.0, 9.0, "log"), "a": (-1e30, 1e30, "linear")}
    assert law.starts == (("b", 4.0),)
    free = {p.name: (p.low, p.scale) for p in parse("E + A/N**alpha").parameters}
    assert free == {"E": (0.0, "linear"), "A": (1e-15, "log"), "alpha": (1e-3, "log")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("alpha", "--param wants NAME=LOW..HIGH"),
        ("alpha=", "--param wants NAME=LOW..HIGH"),
        ("alpha=1", "--param wants NAME=LOW..HIGH"),
        ("alpha=2..1", "lower bound is not below"),
        ("alpha=0..x", "'x' is not a finite number"),
        ("alpha=0..inf", "'inf' is not a finite number"),
        ("alpha=0..1_0", "'1_0' is not a finite number"),
        ("alpha=0..1@2", "start lies outside"),
        ("alpha=any@nan", "'nan' is not a finite number"),
        ("gamma=0..1", "unknown constant 'gamma'; known: A, B, E"),
    ],
)
def test_a_declaration_that_makes_no_sense_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message.replace("..", r"\.\.")):
        FormulaLaw.parse(CHINCHILLA, params=[text])


def test_a_start_is_where_the_first_search_begins() -> None:
    law = FormulaLaw.parse(CHINCHILLA, params=["alpha=@0.7", "beta=0.1..3@0.9"])
    table = make_table(SURFACES["epoch"], *grid_design())
    variables = {name: table.numbers(name) for name in law.variables}
    starts = law.propose_starts(
        variables, table.numbers("loss"), n_starts=32, rng=np.random.default_rng(0)
    )
    assert np.exp(np.std(np.log(starts[:, 2]))) < 2
    assert parse_declaration("alpha=@0.7").start == 0.7


@pytest.mark.parametrize("name", [*form_names(), "power law", "kaplan_nd", "chinchila"])
def test_the_name_of_a_law_is_not_taken_for_a_formula(name: str) -> None:
    assert not is_formula(name)


def test_a_description_that_does_not_fit_its_text_is_refused() -> None:
    document = describe_law(parse(CHINCHILLA))
    for field, value in [("text", "E + A/n_params"), ("text", "__import__('os')"), ("columns", [])]:
        broken = {**document, "fields": {**document["fields"], field: value}}
        with pytest.raises(InputError):
            restore_law(broken)


def test_evaluation_is_in_floats_and_overflows_to_infinity() -> None:
    law = parse("A*N**a**b")
    found = law.predict(np.array([1.0, 9.0, 9.0]), {"n_params": np.array([1e9])})
    assert found.dtype == np.float64
    assert found[0] == np.inf
