"""The command line as a function: arguments in; exit code, stdout and stderr out."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from planted import SURFACES, isoflop_design, make_table

from isoflop.cli.main import run
from isoflop.exchange.run_tables import write_runs


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)

    @property
    def error(self) -> str:
        """The one error line on stderr; everything else is checked to be absent."""
        assert self.out == ""
        lines = self.err.splitlines()
        errors = [line for line in lines if line.startswith("error: ")]
        assert len(errors) == 1, self.err
        assert lines[-1] == errors[0]
        assert "Traceback" not in self.err
        return errors[0].removeprefix("error: ")


Isoflop = Callable[..., Result]


@pytest.fixture
def isoflop(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Isoflop:
    """Run a command in an empty folder; any exception that escapes fails the test."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Result:
        capsys.readouterr()
        code = run(arguments)
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return call


@pytest.fixture
def runs(tmp_path: Path) -> str:
    """A good run table in the current folder, by its name."""
    theta = SURFACES["epoch"]
    table = make_table(theta, *isoflop_design(theta, points=9), noise=0.005)
    return write_runs(table, tmp_path / "runs.csv").name


@pytest.fixture
def law(isoflop: Isoflop, runs: str) -> str:
    """A fit saved in the current folder, by its name."""
    assert isoflop("fit", runs, "--bootstrap", "40", "-o", "law.json").code == 0
    return "law.json"
