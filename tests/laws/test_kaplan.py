"""Kaplan's coupled law where one of its terms is beyond every float."""

import numpy as np

from isoflop.laws.kaplan import KaplanTokensConstantLaw, KaplanTokensLaw

# A draw of a bootstrap: (N_c/N)^(alpha_N/alpha_D) is 1e326 at a thousand parameters.
THETA = np.array([0.0482, 1.082e-3, 2.14e10, 1.37e23])
AT = {"n_params": np.array([1e3]), "n_tokens": np.array([1e6])}


def test_a_law_bound_by_its_size_is_the_law_of_the_size() -> None:
    alpha_N, _, N_c, _ = THETA
    ratio = N_c / 1e3
    assert alpha_N / THETA[1] * np.log10(ratio) > np.log10(np.finfo(float).max)
    alone = ratio**alpha_N
    slopes = [alone * np.log(ratio), 0.0, alone * alpha_N / N_c, 0.0]

    law = KaplanTokensLaw()
    np.testing.assert_allclose(law.predict(THETA, AT), [alone], rtol=1e-12)
    np.testing.assert_allclose(law.gradient(THETA, AT), [slopes], rtol=1e-12)

    with_constant = np.array([1.5, *THETA])
    law_constant = KaplanTokensConstantLaw()
    np.testing.assert_allclose(law_constant.predict(with_constant, AT), [1.5 + alone], rtol=1e-12)
    np.testing.assert_allclose(
        law_constant.gradient(with_constant, AT), [[1.0, *slopes]], rtol=1e-12
    )
