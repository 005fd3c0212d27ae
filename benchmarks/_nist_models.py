# ruff: noqa: D415  (each class says its formula, and nothing else needs saying)
"""The models of NIST's 27 nonlinear regressions, as laws: y = f(x; b1, b2, …).

Formulas as printed in each data set of the NIST/ITL Statistical Reference Datasets. Nothing is
transformed: constants are stepped as they are, unbounded, some of 1e-6 beside others of 1e3.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from isoflop.laws.law import AbstractLaw, Array, Parameter, Variables

TINY = 1e-30


def constants(count: int) -> tuple[Parameter, ...]:
    """b1 … b_count, free of any bound."""
    return tuple(
        Parameter(f"b{k}", "", -np.inf, np.inf, scale="linear") for k in range(1, count + 1)
    )


@dataclass(frozen=True)
class AbstractNistModel(AbstractLaw):
    """A model of one predictor; derivatives by complex step, exact to rounding."""

    source: ClassVar[str] = "NIST/ITL Statistical Reference Datasets, nonlinear regression"
    response: ClassVar[str] = "y"

    @property
    def form(self) -> str:
        return (type(self).__doc__ or "").strip()

    @property
    def variables(self) -> tuple[str, ...]:
        return ("x",)

    def gradient(self, theta: Array, variables: Variables) -> Array:
        columns = []
        for k in range(theta.shape[-1]):
            step = TINY * np.maximum(np.abs(theta[..., k]), 1e-12)
            moved = theta.astype(complex)
            moved[..., k] += 1j * step
            columns.append(self.predict(moved, variables).imag / step[..., None])
        return np.stack(columns, axis=-1)

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        raise NotImplementedError("NIST gives its own starts")

    def derive(self, theta: Array) -> dict[str, Array]:
        return {}


def split(theta: Array) -> list[Array]:
    return [theta[..., k, None] for k in range(theta.shape[-1])]


class Saturation(AbstractNistModel):
    """b1*(1 - exp(-b2*x))"""

    name = "saturation"
    parameters = constants(2)
    linear = ("b1",)

    def predict(self, theta: Array, variables: Variables) -> Array:
        b1, b2 = split(theta)
        return b1 * (1 - np.exp(-b2 * variables["x"]))


class Misra1b(AbstractNistModel):
    """b1*(1 - (1 + b2*x/2)**-2)"""

    name = "misra1b"
    parameters = constants(2)
    linear = ("b1",)

    def predict(self, theta: Array, variables: Variables) -> Array:
        b1, b2 = split(theta)
        return b1 * (1 - (1 + b2 * variables["x"] / 2) ** -2.0)


class Misra1c(AbstractNistModel):
    """b1*(1 - (1 + 2*b2*x)**-.5)"""

    name = "misra1c"
    parameters = constants(2)
    linear = ("b1",)

    def predict(self, theta: Array, variables: Variables) -> Array:
        b1, b2 = split(theta)
        return b1 * (1 - (1 + 2 * b2 * variables["x"]) ** -0.5)


class Misra1d(AbstractNistModel):
    """b1*b2*x/(1 + b2*x)"""

    name = "misra1d"
    parameters = constants(2)
    linear = ("b1",)

    def predict(self, theta: Array, variables: Variables) -> Array:
        b1, b2 = split(theta)
        return b1 * b2 * variables["x"] / (1 + b2 * variables["x"])


class Chwirut(AbstractNistModel):
    """exp(-b1*x)/(b2 + b3*x)"""

    name = "chwirut"
    parameters = constants(3)

    def predict(self, theta: Array, variables: Variables) -> Array:
        b1, b2, b3 = split(theta)
        return np.exp(-b1 * variables["x"]) / (b2 + b3 * variables["x"])


class Lanczos(AbstractNistModel):
    """b1*exp(-b2*x) + b3*exp(-b4*x) + b5*exp(-b6*x)"""

    name = "lanczos"
    parameters = constants(6)
    linear = ("b1", "b3", "b5")
    exchangeable = (("b2", "b1"), ("b4", "b3"), ("b6", "b5"))

    def predict(self, theta: Array, variables: Variables) -> Array:
        b1, b2, b3, b4, b5, b6 = split(theta)
        x = variables["x"]
        return b1 * np.exp(-b2 * x) + b3 * np.exp(-b4 * x) + b5 * np.exp(-b6 * x)


class Gauss(AbstractNistModel):
    """b1*exp(-b2*x) + b3*exp(-(x - b4)**2/b5**2) + b6*exp(-(x - b7)**2/b8**2)"""

    name = "gauss"
    parameters = constants(8)
    linear = ("b1", "b3", "b6")
    exchangeable = (("b4", "b3", "b5"), ("b7", "b6", "b8"))

    def predict(self, theta: Array, variables: Variables) -> Array:
        b1, b2, b3, b4, b5, b6, b7, b8 = split(theta)
        x = variables["x"]
        first = b3 * np.exp(-(((x - b4) / b5) ** 2))
        return b1 * np.exp(-b2 * x) + first + b6 * np.exp(-(((x - b7) / b8) ** 2))


class DanWood(AbstractNistModel):
    """b1*x**b2"""

    name = "danwood"
    parameters = constants(2)
    linear = ("b1",)

    def predict(self, theta: Array, variables: Variables) -> Array:
        b1, b2 = split(theta)
        return b1 * variables["x"] ** b2


class Kirby2(AbstractNistModel):
    """(b1 + b2*x + b3*x**2)/(1 + b4*x + b5*x**2)"""

    name = "kirby2"
    parameters = constants(5)
    linear = ("b1", "b2", "b3")

    def predict(self, theta: Array, variables: Variables) -> Array:
        b1, b2, b3, b4, b5 = split(theta)
        x = variables["x"]
        return (b1 + b2 * x + b3 * x**2) / (1 + b4 * x + b5 * x**2)


class CubicRatio(AbstractNistModel):
    """(b1 + b2*x + b3*x**2 + b4*x**3)/(1 + b5*x + b6*x**2 + b7*x**3)"""

    name = "cubic-ratio"
    parameters = constants(7)
    linear = ("b1", "b2", "b3", "b4")

    def predict(self, theta: Array, variables: Variables) -> Array:
        b1, b2, b3, b4, b5, b6, b7 = split(theta)
        x = variables["x"]
        return (b1 + b2 * x + b3 * x**2 + b4 * x**3) / (1 + b5 * x + b6 * x**2 + b7 * x**3)


class Nelson(AbstractNistModel):
    """log y = b1 - b2*x1*exp(-b3*x2)"""

    name = "nelson"
    parameters = constants(3)
    linear = ("b1", "b2")

    @property
    def variables(self) -> tuple[str, ...]:
        return ("x1", "x2")

    def predict(self, theta: Array, variables: Variables) -> Array:
        b1, b2, b3 = split(theta)
        return b1 - b2 * variables["x1"] * np.exp(-b3 * variables["x2"])


class MGH17(AbstractNistModel):
    """b1 + b2*exp(-x*b4) + b3*exp(-x*b5)"""

    name = "mgh17"
    parameters = constants(5)
    linear = ("b1", "b2", "b3")
    exchangeable = (("b4", "b2"), ("b5", "b3"))

    def predict(self, theta: Array, variables: Variables) -> Array:
        b1, b2, b3, b4, b5 = split(theta)
        x = variables["x"]
        return b1 + b2 * np.exp(-x * b4) + b3 * np.exp(-x * b5)


class Roszman1(AbstractNistModel):
    """b1 - b2*x - arctan(b3/(x - b4))/pi"""

    name = "roszman1"
    parameters = constants(4)
    linear = ("b1", "b2")

    def predict(self, theta: Array, variables: Variables) -> Array:
        b1, b2, b3, b4 = split(theta)
        x = variables["x"]
        return b1 - b2 * x - np.arctan(b3 / (x - b4)) / np.pi


class ENSO(AbstractNistModel):
    """b1 + b2*cos(2pi x/12) + b3*sin(2pi x/12) + the same with periods b4 and b7"""

    name = "enso"
    parameters = constants(9)
    linear = ("b1", "b2", "b3", "b5", "b6", "b8", "b9")
    exchangeable = (("b7", "b8", "b9"), ("b4", "b5", "b6"))

    def predict(self, theta: Array, variables: Variables) -> Array:
        b1, b2, b3, b4, b5, b6, b7, b8, b9 = split(theta)
        turn = 2 * np.pi * variables["x"]
        year = b2 * np.cos(turn / 12) + b3 * np.sin(turn / 12)
        slow = b5 * np.cos(turn / b4) + b6 * np.sin(turn / b4)
        return b1 + year + slow + b8 * np.cos(turn / b7) + b9 * np.sin(turn / b7)


class MGH09(AbstractNistModel):
    """b1*(x**2 + x*b2)/(x**2 + x*b3 + b4)"""

    name = "mgh09"
    parameters = constants(4)
    linear = ("b1",)

    def predict(self, theta: Array, variables: Variables) -> Array:
        b1, b2, b3, b4 = split(theta)
        x = variables["x"]
        return b1 * (x**2 + x * b2) / (x**2 + x * b3 + b4)


class MGH10(AbstractNistModel):
    """b1*exp(b2/(x + b3))"""

    name = "mgh10"
    parameters = constants(3)
    linear = ("b1",)

    def predict(self, theta: Array, variables: Variables) -> Array:
        b1, b2, b3 = split(theta)
        return b1 * np.exp(b2 / (variables["x"] + b3))


class Rat42(AbstractNistModel):
    """b1/(1 + exp(b2 - b3*x))"""

    name = "rat42"
    parameters = constants(3)
    linear = ("b1",)

    def predict(self, theta: Array, variables: Variables) -> Array:
        b1, b2, b3 = split(theta)
        return b1 / (1 + np.exp(b2 - b3 * variables["x"]))


class Rat43(AbstractNistModel):
    """b1/(1 + exp(b2 - b3*x))**(1/b4)"""

    name = "rat43"
    parameters = constants(4)
    linear = ("b1",)

    def predict(self, theta: Array, variables: Variables) -> Array:
        b1, b2, b3, b4 = split(theta)
        return b1 / (1 + np.exp(b2 - b3 * variables["x"])) ** (1 / b4)


class Eckerle4(AbstractNistModel):
    """b1/b2*exp(-.5*((x - b3)/b2)**2)"""

    name = "eckerle4"
    parameters = constants(3)
    linear = ("b1",)

    def predict(self, theta: Array, variables: Variables) -> Array:
        b1, b2, b3 = split(theta)
        return b1 / b2 * np.exp(-0.5 * ((variables["x"] - b3) / b2) ** 2)


class Bennett5(AbstractNistModel):
    """b1*(b2 + x)**(-1/b3)"""

    name = "bennett5"
    parameters = constants(3)
    linear = ("b1",)

    def predict(self, theta: Array, variables: Variables) -> Array:
        b1, b2, b3 = split(theta)
        return b1 * (b2 + variables["x"]) ** (-1 / b3)


MODELS: Mapping[str, AbstractNistModel] = {
    "Bennett5": Bennett5(),
    "BoxBOD": Saturation(),
    "Chwirut1": Chwirut(),
    "Chwirut2": Chwirut(),
    "DanWood": DanWood(),
    "ENSO": ENSO(),
    "Eckerle4": Eckerle4(),
    "Gauss1": Gauss(),
    "Gauss2": Gauss(),
    "Gauss3": Gauss(),
    "Hahn1": CubicRatio(),
    "Kirby2": Kirby2(),
    "Lanczos1": Lanczos(),
    "Lanczos2": Lanczos(),
    "Lanczos3": Lanczos(),
    "MGH09": MGH09(),
    "MGH10": MGH10(),
    "MGH17": MGH17(),
    "Misra1a": Saturation(),
    "Misra1b": Misra1b(),
    "Misra1c": Misra1c(),
    "Misra1d": Misra1d(),
    "Nelson": Nelson(),
    "Rat42": Rat42(),
    "Rat43": Rat43(),
    "Roszman1": Roszman1(),
    "Thurber": CubicRatio(),
}
"""{data set: model}."""
