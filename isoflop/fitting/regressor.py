"""A scaling law as a scikit-learn regressor; needs the extra `sklearn`."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isoflop.base.errors import InputError, MissingExtraError
from isoflop.fitting.fit import Fit
from isoflop.fitting.methods import choose_form
from isoflop.fitting.objective import Objective, require_loss
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.runs.table import RunTable

try:
    from sklearn.base import BaseEstimator, RegressorMixin
    from sklearn.utils.validation import check_is_fitted, validate_data
except ModuleNotFoundError:
    raise MissingExtraError("ScalingLawRegressor", "sklearn") from None


class ScalingLawRegressor(RegressorMixin, BaseEstimator):  # pyright: ignore[reportGeneralTypeIssues]
    """Fit a scaling law with scikit-learn's fit and predict.

    Columns of X are the law's variables, named by `columns` or by the names of a data frame;
    y is the loss, and amounts in both must be positive, as in any run table. Of scikit-learn's
    `check_estimator` those checks do not apply, and are refused with one clear error, that feed
    amounts of zero or below, or more columns than the law has variables and no names for them.

    Args:
        law: name of a form or a formula, see `isoflop.fit`.
        columns: names of the columns of X; those of the law's own variables, in its order, if
            left out and X has no names.
        loss: robust, huber or squared.
        n_starts: random starts; None for as many as the law asks for.
        n_resamples: draws for the intervals of `fit_.params`; 0 for none.
        random_state: seed of starts and draws.

    >>> N, D = np.meshgrid(np.geomspace(1e7, 1e9, 5), np.geomspace(1e9, 1e11, 5))
    >>> X = np.column_stack([N.ravel(), D.ravel()])
    >>> y = 1.69 + 406.4 / X[:, 0]**0.34 + 410.7 / X[:, 1]**0.28
    >>> model = ScalingLawRegressor().fit(X, y)
    >>> round(model.fit_.params["alpha"].value, 6), round(model.score(X, y), 6)
    (0.34, 1.0)
    """

    fit_: Fit
    columns_: tuple[str, ...]

    def __init__(
        self,
        law: str = "chinchilla",
        *,
        columns: Sequence[str] | None = None,
        loss: str = "robust",
        n_starts: int | None = None,
        n_resamples: int = 0,
        random_state: int = 0,
    ) -> None:
        self.law = law
        self.columns = columns
        self.loss = loss
        self.n_starts = n_starts
        self.n_resamples = n_resamples
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> "ScalingLawRegressor":
        """Fit the law.

        Args:
            X: (n_runs, n_columns) positive amounts.
            y: (n_runs,) positive losses.

        Raises:
            InputError: columns that do not match the law, or amounts that are not positive;
                see `fit_parametric`.
        """
        checked, loss = validate_data(self, X, y, y_numeric=True, dtype=np.float64)  # pyright: ignore[reportArgumentType]
        amounts = np.asarray(checked, dtype=np.float64)
        names = self._names(amounts.shape[1])
        table = _table(amounts, names).with_column("loss", np.asarray(loss, dtype=np.float64))
        law = choose_form(table, self.law)
        spec = FitSpec(
            Objective(require_loss(self.loss)),
            self.n_resamples,
            n_starts=self.n_starts,
            seed=int(self.random_state or 0),
        )
        self.columns_ = names
        self.fit_ = fit_parametric(table, law, spec)
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        """Predict the law's mean, (n_runs,).

        Args:
            X: (n_runs, n_columns) positive amounts, columns as in `fit`.
        """
        check_is_fitted(self)
        checked = validate_data(self, X, reset=False, dtype=np.float64)  # pyright: ignore[reportArgumentType]
        columns = np.asarray(checked, dtype=np.float64).T
        amounts = dict(zip(self.columns_, columns, strict=True))
        return self.fit_.law.predict(self.fit_.theta, amounts)

    def _names(self, n_columns: int) -> tuple[str, ...]:
        """Names of the columns: as given, as the frame has them, or as the law reads them."""
        given = self.columns
        if given is None:
            given = getattr(self, "feature_names_in_", None)
        names = tuple(given) if given is not None else _variables_of(self.law, n_columns)
        if len(names) != n_columns:
            raise InputError(
                f"X has {n_columns} columns and {len(names)} names ({', '.join(names)}); "
                "name every column with columns="
            )
        return names

    def __sklearn_tags__(self) -> Any:
        """Say that only positive amounts make sense."""
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        tags.target_tags.positive_only = True
        tags.regressor_tags.poor_score = True  # on targets that follow no scaling law
        return tags


def _table(amounts: NDArray[np.float64], names: tuple[str, ...]) -> RunTable:
    rows = [dict(zip(names, row, strict=True)) for row in amounts.tolist()]
    return RunTable.from_records(rows, source="X")


def _variables_of(law: str, n_columns: int) -> tuple[str, ...]:
    """Variables of a named law, or n_params for a law of any one variable."""
    if n_columns == 1:
        return ("n_params",)
    probe = RunTable.from_records([{"n_params": 1.0, "n_tokens": 1.0, "loss": 1.0}])
    return choose_form(probe, law).variables
