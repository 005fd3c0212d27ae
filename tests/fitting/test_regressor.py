"""The scikit-learn face of a fit: scikit-learn's own checks, and its tools on planted laws."""

import numpy as np
import pytest
from planted import SURFACES, chinchilla, grid_design

pytest.importorskip("sklearn", reason="the extra `sklearn` is not installed")

from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator

import isoflop
from isoflop.base.errors import InputError
from isoflop.fitting.regressor import ScalingLawRegressor

EPOCH = SURFACES["epoch"]
N, D = grid_design()
X = np.column_stack([N, D])
Y = chinchilla(EPOCH, N, D) * np.exp(0.003 * np.random.default_rng(0).standard_normal(len(N)))

APPLIES_NOT = "feeds amounts of zero or below, or unnamed columns that no law reads"
WITHOUT_A_LAW = dict.fromkeys(
    (
        "check_fit_score_takes_y",
        "check_estimators_overwrite_params",
        "check_dont_overwrite_parameters",
        "check_estimators_fit_returns_self",
        "check_readonly_memmap_input",
        "check_n_features_in_after_fitting",
        "check_positive_only_tag_during_fit",
        "check_estimators_dtypes",
        "check_dtype_object",
        "check_pipeline_consistency",
        "check_estimators_nan_inf",
        "check_estimators_pickle",
        "check_f_contiguous_array_estimator",
        "check_regressors_train",
        "check_regressor_data_not_an_array",
        "check_regressors_no_decision_function",
        "check_supervised_y_2d",
        "check_regressors_int",
        "check_methods_sample_order_invariance",
        "check_methods_subset_invariance",
        "check_fit2d_1sample",
        "check_fit2d_1feature",
        "check_dict_unchanged",
        "check_fit_idempotent",
        "check_fit_check_is_fitted",
        "check_n_features_in",
        "check_fit2d_predict1d",
        "check_fit_non_negative",
    ),
    APPLIES_NOT,
)


@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_checks_pass_where_they_apply() -> None:
    checks = check_estimator(
        ScalingLawRegressor(n_starts=4), expected_failed_checks=WITHOUT_A_LAW, on_skip=None
    )
    passed = [check for check in checks if check["status"] == "passed"]
    assert len(passed) >= 20
    for check in checks:
        if check["status"] == "xfail":
            assert isinstance(check["exception"], InputError), check["check_name"]


def test_it_is_the_fit_of_isoflop() -> None:
    model = ScalingLawRegressor(n_starts=16).fit(X, Y)
    rows = [
        {"n_params": n, "n_tokens": d, "loss": y}
        for n, d, y in zip(N.tolist(), D.tolist(), Y.tolist(), strict=True)
    ]
    fit = isoflop.fit(rows, spec=isoflop.FitSpec(n_resamples=0, n_starts=16))
    assert model.fit_.theta == pytest.approx(fit.theta, rel=1e-12)
    assert model.predict(X) == pytest.approx(Y, rel=0.02)


def test_it_can_be_cloned_searched_piped_and_cross_validated() -> None:
    model = ScalingLawRegressor(n_starts=8)
    assert clone(model).get_params() == model.get_params()
    again = clone(model).set_params(loss="squared").fit(X, Y)
    assert again.fit_.objective.kind == "squared"
    assert cross_val_score(model, X, Y, cv=3).min() > 0.95
    search = GridSearchCV(model, {"loss": ["huber", "squared"]}, cv=3).fit(X, Y)
    assert search.best_score_ > 0.95
    piped = make_pipeline(FunctionTransformer(np.exp), model).fit(np.log(X), Y)
    assert piped.predict(np.log(X)) == pytest.approx(model.fit(X, Y).predict(X), rel=1e-9)


def test_one_column_is_one_variable_and_wrong_widths_are_refused() -> None:
    curve = ScalingLawRegressor("power", n_starts=4).fit(N[:, None], 60 * N**-0.07)
    assert curve.fit_.params["alpha"].value == pytest.approx(0.07)
    with pytest.raises(InputError, match="X has 3 columns and 2 names"):
        ScalingLawRegressor().fit(np.column_stack([X, N]), Y)
    with pytest.raises(InputError, match="expected a positive number"):
        ScalingLawRegressor().fit(-X, Y)
