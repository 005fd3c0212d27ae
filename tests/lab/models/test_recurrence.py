"""The LSTM's recurrence against torch's own."""

import pytest

torch = pytest.importorskip("torch")

from isoflop.lab.models.recurrence import FORGET_BIAS, Recurrence  # noqa: E402


def test_the_recurrence_and_its_gradients_are_those_of_torch() -> None:
    torch.manual_seed(0)
    inputs = torch.randn(7, 3, 5, dtype=torch.float64)
    weights = torch.randn(5, 16, dtype=torch.float64, requires_grad=True)
    state = torch.randn(4, 16, dtype=torch.float64, requires_grad=True)
    theirs = torch.nn.LSTM(5, 4, dtype=torch.float64)
    with torch.no_grad():
        theirs.weight_ih_l0.copy_(weights.T)
        theirs.weight_hh_l0.copy_(state.T)
        theirs.bias_ih_l0.zero_()[4:8] = FORGET_BIAS
        theirs.bias_hh_l0.zero_()
    outer = torch.randn(7, 3, 4, dtype=torch.float64)
    found = Recurrence.apply((inputs @ weights).unsqueeze(1), state.unsqueeze(0))[:, 0]
    expected = theirs(inputs)[0]
    torch.testing.assert_close(found, expected)
    (found * outer).sum().backward()
    (expected * outer).sum().backward()
    torch.testing.assert_close(weights.grad, theirs.weight_ih_l0.grad.T)
    torch.testing.assert_close(state.grad, theirs.weight_hh_l0.grad.T)


@pytest.mark.parametrize("tokens", [1, 4])
def test_the_gradient_of_packed_recurrences_is_their_derivative(tokens: int) -> None:
    gates = torch.randn(tokens, 2, 3, 8, dtype=torch.float64, requires_grad=True)
    state = torch.randn(2, 2, 8, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(Recurrence.apply, (gates, state))


def test_the_inputs_are_left_alone() -> None:
    gates, state = torch.randn(3, 1, 2, 8), torch.randn(1, 2, 8)
    before = gates.clone()
    Recurrence.apply(gates, state)
    assert torch.equal(gates, before)
