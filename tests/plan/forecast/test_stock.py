"""How much data there is, and the compute that has read it."""

import pytest

from isoflop.base.errors import InputError, RefusalError, RunTableError, UnknownNameError
from isoflop.plan.forecast.century import CenturySpec, forecast_century
from isoflop.plan.forecast.reading import choose_rule, exhaust_stocks
from isoflop.plan.forecast.stock import (
    STOCKS,
    Stock,
    choose_stocks,
    find_exhaustion,
    read_stocks,
)

TEXT = Stock("text", "text", 4e14, "tokens", 1, "test", 1e14, 1e15)


def test_kaplans_exponents_run_out_in_closed_form() -> None:
    """C = C_0·(U/D_0)^(1/.27)."""
    century = forecast_century()
    (found,) = exhaust_stocks(century, [TEXT], rules=["exponents"])
    assert found.flops.value == pytest.approx(3.14e23 * (4e14 / 3e11) ** (1 / 0.27), rel=1e-6)
    assert found.flops.high == pytest.approx(3.14e23 * (1e15 / 3e11) ** (1 / 0.27), rel=1e-6)
    assert found.epochs.value == pytest.approx(century.n_tokens.value / 4e14)
    assert found.epochs.low == pytest.approx(century.n_tokens.value / 1e15)


def test_hoffmanns_law_runs_out_of_public_text_where_villalobos_says() -> None:
    """4e14 tokens correspond to about 5e28 FLOPs (Villalobos et al. 2024, Figure 1)."""
    (found,) = exhaust_stocks(forecast_century(), [TEXT], rules=["besiroglu-2024"])
    assert 2.5e28 < found.flops.value < 1e29


def test_images_and_frames_are_read_by_henighans_optimum() -> None:
    """D = C/(6N), N = (C/c)^e of Table 1 with c in PF-days."""
    ends = exhaust_stocks(forecast_century(), choose_stocks(["image", "video"]))
    constants = {"image": (9.4e-13, 0.70), "video": (1.13e-12, 0.71)}
    assert {end.stock.modality for end in ends} == {"image", "video"}
    for end in ends:
        c, e = constants[end.stock.modality]
        C = end.flops.value
        read = C / (6 * (C / 8.64e19 / c) ** e)
        assert read == pytest.approx(end.stock.amount * end.stock.tokens_per_unit, rel=1e-3)


def test_years_follow_from_a_growth_a_year() -> None:
    (found,) = exhaust_stocks(
        forecast_century(), [Stock("one", "text", 3e14, "tokens", 1, "test")],
        rules=["exponents"], per_year=10.0, from_year=2020.0,
    )  # fmt: skip
    assert found.year.value == pytest.approx(2020 + 3 / 0.27)  # 1e3 of D is 1e(3/.27) of C
    assert found.year.low is None
    with pytest.raises(InputError, match="growth a year must exceed 1"):
        exhaust_stocks(forecast_century(), [TEXT], per_year=1.0)


def test_rules_are_laws_of_the_catalog() -> None:
    century = forecast_century(CenturySpec(growth=1e12))
    own = choose_rule("exponents", century)
    assert own(1e36) == pytest.approx(century.n_tokens.value)
    pf_day = choose_rule("kaplan-2020-d-opt", century)(8.64e19)
    assert pf_day == pytest.approx(2e10)
    by_params = choose_rule("kaplan-2020-n-opt", century)(8.64e19)
    assert by_params == pytest.approx(8.64e19 / (6 * 1.3e9))
    joint = choose_rule("besiroglu-2024", century)(5.76e23)
    assert joint == pytest.approx(1.3e12, rel=0.03)  # papers' table of allocations
    with pytest.raises(InputError, match="kaplan-2020-l-n gives loss of n_params and no optimum"):
        choose_rule("kaplan-2020-l-n", century)
    with pytest.raises(UnknownNameError):
        choose_rule("nothing", century)


def test_every_stock_says_where_it_is_from_and_has_a_rule() -> None:
    assert len({stock.name for stock in STOCKS}) == len(STOCKS)
    assert {stock.modality for stock in STOCKS} == {"text", "image", "video"}
    for stock in STOCKS:
        assert "20" in stock.source
        assert stock.n_tokens.value > 0
    mix = next(stock for stock in STOCKS if stock.name == "gpt-3-mix")
    assert mix.amount == 410e9 + 19e9 + 12e9 + 55e9 + 3e9


def test_an_inventory_of_ones_own_is_read(tmp_path) -> None:
    path = tmp_path / "stocks.csv"
    path.write_text(
        "name,modality,amount,low,high,unit,tokens_per_unit,source\n"
        "diary,text,1e6,,,words,1.5,mine\nfilm,video,2e9,1e9,4e9,frames,256,mine\n"
    )
    diary, film = read_stocks(path)
    assert (diary.n_tokens.value, diary.low) == (1.5e6, None)
    assert (film.n_tokens.low, film.n_tokens.high) == (256e9, 1024e9)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no rows; expected a header name,modality"),
        ("name,modality,amount\na,text,1\n", "no column `unit`"),
        ("name,modality,amount,unit,tokens_per_unit\na,text,-1,tokens,1\n",
         "row 1 `amount`: expected a positive number, found '-1'"),
        ("name,modality,amount,low,high,unit,tokens_per_unit\na,text,5,6,7,tokens,1\n",
         "row 1: low, amount and high do not ascend"),
    ],
)  # fmt: skip
def test_bad_inventories_are_named(tmp_path, text: str, message: str) -> None:
    path = tmp_path / "stocks.csv"
    path.write_text(text)
    with pytest.raises(RunTableError) as caught:
        read_stocks(path)
    assert message in str(caught.value)


def test_unknown_stocks_and_rules_that_never_get_there_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="did you mean common-crawl"):
        choose_stocks(["comon-crawl"])
    with pytest.raises(RefusalError, match="text: no plan between"):
        find_exhaustion(TEXT, lambda flops: 1e9, rule="flat", flops=1e30)
