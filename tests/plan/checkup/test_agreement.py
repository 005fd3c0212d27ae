"""Methods that disagree, where parabolas are known to be biased."""

import numpy as np
from faulty import codes, find, noisy, rows

from benchmarks._planted import SURFACES, chinchilla, isoflop


def test_parabolas_on_an_uneven_surface_disagree_with_the_law():
    asym = SURFACES["asym"]
    N, D = isoflop(16.0)(asym)
    found = find(rows(N, D, noisy(chinchilla(asym, N, D), 0.002)), "methods-disagree")
    assert found.shift is not None
    # N* by parabolas 1.33 times the true one over 500 studies of this design
    assert abs(np.log(found.shift.ratio / 1.33)) < 0.12
    assert found.numbers["n_params_isoflop"] > found.numbers["n_params_parametric"]


def test_methods_agree_on_a_good_grid():
    epoch = SURFACES["epoch"]
    N, D = isoflop(4.0)(epoch)
    assert "methods-disagree" not in codes(rows(N, D, noisy(chinchilla(epoch, N, D))))


def test_sizes_in_other_units_are_not_told_as_a_disagreement():
    epoch = SURFACES["epoch"]
    N, D = isoflop(4.0)(epoch)
    L = noisy(chinchilla(epoch, N, D), 0.004)
    found = codes(rows(N / 1e6, D / 1e6, L, flops=6 * N * D))
    assert "units-unlikely" in found
    assert "methods-disagree" not in found
