"""A formula's allocation exponents are Chinchilla's where its terms are, and absent elsewhere."""

import numpy as np
import pytest
from planted import SURFACES, isoflop_design, make_table, optimum

import isoflop
from isoflop.fitting.parametric import FitSpec
from isoflop.laws.formula.formula import FormulaLaw

EPOCH = SURFACES["epoch"]


@pytest.mark.parametrize(
    ("text", "declared", "exponents"),
    [
        ("E + A/N**alpha + B/D**beta", (), ("alpha", "beta")),
        ("B*D**-q + (E + (N_c/N)**p)", (), ("p", "q")),
        ("E + exp(lA)*N**-x + exp(lB)*(D/1e9)**(-y)", ("lA=any", "lB=any"), ("x", "y")),
        ("E + A/N**0.34 + B/D**beta", (), (0.34, "beta")),
        ("E + A/N + B/D**beta", (), (1.0, "beta")),
    ],
)
def test_separable_powers_show_where_the_optimum_goes(text, declared, exponents) -> None:
    law = FormulaLaw.parse(text, params=declared)
    theta = np.random.default_rng(0).uniform(0.1, 0.9, (5, len(law.parameters)))
    values = dict(zip(law.parameter_names, theta.T, strict=True))
    alpha, beta = (values[e] if isinstance(e, str) else np.full(5, e) for e in exponents)
    derived = law.derive(theta)
    assert set(derived) == {"a", "b"}
    assert derived["a"] == pytest.approx(beta / (alpha + beta), rel=1e-14)
    assert derived["b"] == pytest.approx(alpha / (alpha + beta), rel=1e-14)


@pytest.mark.parametrize(
    ("text", "declared"),
    [
        ("E + (A/N**alpha + B/D**beta)**g", ()),
        ("E + A/N**alpha + B/D**beta + F/(N**p*D**q)", ()),
        ("E + A/N**alpha + B/D**beta + F/N**p", ()),
        ("E + A/N**alpha - B/D**beta", ()),
        ("E + A*N**alpha + B/D**beta", ()),
        ("E + A/N**alpha + B/D**beta", ("alpha=any",)),
        ("E + A/N**alpha + B/D**beta", ("B=any",)),
        ("E + A/N**alpha + B/C**beta", ()),
        ("E + A/N**alpha + B/log(D)**beta", ()),
        ("E + a/N**alpha + b/D**beta", ()),
        ("accuracy = E + A/N**alpha + B/D**beta", ()),
        ("E + A/N**alpha", ()),
    ],
)
def test_any_other_formula_shows_none(text, declared) -> None:
    law = FormulaLaw.parse(text, params=declared)
    assert law.derive(np.full(len(law.parameters), 0.5)) == {}


def test_the_exponent_of_a_fitted_formula_is_that_of_the_form_with_its_interval() -> None:
    table = make_table(EPOCH, *isoflop_design(EPOCH, points=9), noise=0.003)
    spec = FitSpec(n_resamples=100, n_starts=16)
    own = isoflop.fit(table, "E + A/N**alpha + B/D**beta", spec=spec).derived["a"]
    form = isoflop.fit(table, "chinchilla", spec=spec).derived["a"]
    assert own.value == pytest.approx(form.value, rel=1e-4)
    assert (own.low, own.high) == pytest.approx((form.low, form.high), rel=0.02)
    planted = np.log(optimum(EPOCH, 1e24) / optimum(EPOCH, 1e20)) / np.log(1e4)
    assert own.low < planted < own.high
