"""What a law of your own must keep: a suite of tests to inherit."""

from isoflop.testing.designs import make_designs as make_designs
from isoflop.testing.law_case import LawCase as LawCase
from isoflop.testing.law_contract import LawContract as LawContract
from isoflop.testing.law_contract import check_law as check_law
