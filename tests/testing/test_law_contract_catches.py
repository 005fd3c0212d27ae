"""The contract catches laws that break it: one mistake each, found by the right check."""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np
import pytest

from isoflop.base.errors import InputError
from isoflop.laws.law import AbstractLaw, Array, Parameter, Variables
from isoflop.laws.power import PowerConstantLaw
from isoflop.laws.registered import find_registered, register_law
from isoflop.testing import LawCase, check_law
from isoflop.testing.law_contract import complex_step

INNER = PowerConstantLaw("n_params")
Fault = Literal[
    "none", "slope", "shape", "batch", "cast", "linear", "rises", "starts", "seed", "derive",
    "negative", "far starts", "NaN starts",
]  # fmt: skip


@register_law
@dataclass(frozen=True)
class FaultyLaw(AbstractLaw):
    """E + A/x^alpha with a fault of choice."""

    fault: str = "none"

    name: ClassVar[str] = "faulty"
    source: ClassVar[str] = "these tests"
    parameters: ClassVar[tuple[Parameter, ...]] = INNER.parameters
    falls_with: ClassVar[Literal["all"]] = "all"
    linear: ClassVar[tuple[str, ...]] = ("E", "A", "alpha")

    @property
    def form(self) -> str:
        return INNER.form

    @property
    def variables(self) -> tuple[str, ...]:
        return INNER.variables

    def predict(self, theta: Array, variables: Variables) -> Array:
        if self.fault == "cast":
            theta = np.real(theta)
        predicted = INNER.predict(theta, variables)
        if self.fault == "batch" and theta.ndim > 1:
            predicted = predicted + 1e-6
        if self.fault == "rises":
            predicted = predicted + 1e-12 * variables["n_params"]
        if self.fault == "negative":
            predicted = predicted - 20.0
        return predicted[..., None] if self.fault == "shape" else predicted

    def gradient(self, theta: Array, variables: Variables) -> Array:
        slopes = INNER.gradient(theta, variables)
        return slopes * 1.00001 if self.fault == "slope" else slopes

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        if self.fault == "seed":
            rng = np.random.default_rng()
        starts = INNER.propose_starts(variables, loss, n_starts=n_starts, rng=rng)
        if self.fault == "far starts":
            starts[:, 2] = 4.0
            starts[:, 0] = 9999.0
        if self.fault == "NaN starts":
            starts[0, 0] = np.nan
        return starts - 1.0 if self.fault == "starts" else starts

    def derive(self, theta: Array) -> dict[str, Array]:
        return {"x": np.ones(3)} if self.fault == "derive" else {"x": theta[..., 0]}


def case_of(fault: str, law: AbstractLaw | None = None) -> LawCase:
    return LawCase(law or FaultyLaw(fault), [[1.7, 410.0, 0.28]])


@dataclass(frozen=True)
class SoundLaw(FaultyLaw):
    """The same law without a fault, linear in what it says."""

    name: ClassVar[str] = "sound"
    linear: ClassVar[tuple[str, ...]] = ("E", "A")


register_law(SoundLaw)


def test_a_sound_law_passes_every_check() -> None:
    assert len(check_law(case_of("none", SoundLaw()))) == 14


@pytest.mark.parametrize(
    "fault",
    ["slope", "shape", "batch", "cast", "rises", "starts", "seed", "derive", "negative",
     "far starts", "NaN starts"],
)  # fmt: skip
def test_every_fault_is_caught(fault: str) -> None:
    with pytest.raises((AssertionError, ValueError, IndexError)):
        check_law(case_of(fault, SoundLaw(fault)))


def test_a_constant_that_is_not_linear_is_caught() -> None:
    with pytest.raises(AssertionError):
        check_law(case_of("none"))


@pytest.mark.parametrize(
    "change",
    [
        {"low": 5.0, "high": 1.0},
        {"high": np.inf},
        {"low": 0.0, "scale": "log"},
        {"name": "n_params"},
        {"name": "two words"},
        {"name": "alpha"},
    ],
)
def test_a_parameter_that_makes_no_sense_is_caught(change: dict[str, object]) -> None:
    broken = replace(INNER.parameters[0], **change)  # type: ignore[arg-type]

    @dataclass(frozen=True)
    class Broken(SoundLaw):
        parameters: ClassVar[tuple[Parameter, ...]] = (broken, *INNER.parameters[1:])

    with pytest.raises(AssertionError):
        check_law(case_of("none", Broken()))


def test_columns_nobody_knows_must_be_given() -> None:
    case = LawCase(PowerConstantLaw("n_experts"), [[1.7, 4.0, 0.28]])
    with pytest.raises(InputError, match="give columns= with values of n_experts"):
        check_law(case)
    check_law(replace(case, columns={"n_experts": (1, 8, 64, 512)}))


def test_a_complex_step_is_exact() -> None:
    theta, columns = np.array([1.7, 410.0, 0.28]), {"n_params": np.geomspace(1e6, 1e12, 5)}
    slopes = complex_step(INNER, theta, columns)
    np.testing.assert_allclose(slopes, INNER.gradient(theta, columns), rtol=1e-14)


def test_a_name_belongs_to_one_class() -> None:
    assert find_registered("sound") is SoundLaw
    assert find_registered("nobody") is None

    @dataclass(frozen=True)
    class Other(SoundLaw):
        pass

    with pytest.raises(InputError, match="a law named sound is registered already"):
        register_law(Other)
