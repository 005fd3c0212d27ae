"""docs/laws.md holds every form and every entry of the catalog, with its constants, and runs."""

import doctest
from pathlib import Path

import pytest

from isoflop.laws.catalog import CATALOG, published_names
from isoflop.laws.forms import form_names
from isoflop.laws.growth import GrowthLaw
from isoflop.laws.published.entry import PublishedLaw
from isoflop.laws.repeated import RepeatedLaw

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "laws.md").read_text(encoding="utf-8")


def plain(number: float) -> str:
    """8.8e13 rather than 8.8e+13 or 88000000000000."""
    if 1e-4 <= abs(number) < 1e5 or number == 0:
        return f"{number:.8g}"
    mantissa, _, exponent = f"{number:.7e}".partition("e")
    return f"{float(mantissa):g}e{int(exponent)}"


def row_of(entry: PublishedLaw) -> str:
    """The table row that the page must hold."""
    constants = ", ".join(
        " ".join([symbol, plain(value), entry.printed_units.get(symbol, "")]).strip()
        for symbol, value in entry.printed.items()
    )
    source = entry.source.split("), ", 1)[-1]
    return f"| `{entry.name}` | `{entry.predicts}` | {constants} | {source} | {entry.note} |"


@pytest.mark.parametrize("name", published_names())
def test_every_entry_stands_in_the_page_with_its_constants(name: str) -> None:
    assert row_of(CATALOG[name]) in PAGE.splitlines()


@pytest.mark.parametrize("name", [*form_names(), RepeatedLaw.name, GrowthLaw.name])
def test_every_form_stands_in_the_page(name: str) -> None:
    assert f"| `{name}` |" in PAGE


@pytest.mark.parametrize("page", ["laws.md", "conventions.md"])
def test_the_page_runs(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    examples = doctest.DocTestParser().get_doctest(text, {}, page, page, 0)
    assert examples.examples
    assert doctest.DocTestRunner().run(examples).failed == 0
