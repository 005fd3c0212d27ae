"""Every public name exists, is documented, and is imported only when used."""

import importlib
import re
from pathlib import Path

import pytest

import isoflop


@pytest.mark.parametrize("name", isoflop.__all__)
def test_a_public_name_exists_and_says_what_it_is(name: str) -> None:
    value = getattr(isoflop, name)
    assert value is getattr(importlib.import_module(isoflop._HOMES[name]), name)
    assert len((value.__doc__ or "").strip()) > 10


def test_dir_lists_the_public_names_and_the_version() -> None:
    assert set(dir(isoflop)) == {*isoflop.__all__, "__version__"}


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'fit_everything'"):
        getattr(isoflop, "fit_everything")  # noqa: B009


def test_the_version_is_the_one_of_the_package() -> None:
    text = (Path(isoflop.__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    declared = re.search(r'^version = "(.+)"$', text, re.MULTILINE)
    assert declared is not None
    assert declared[1] == isoflop.__version__
