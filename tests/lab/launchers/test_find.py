"""Launchers by name, of this package and of others; what is absent is said in one sentence."""

import importlib.util
import sys
import types
from importlib.metadata import EntryPoint

import pytest

pytest.importorskip("torch")

from isoflop.base.errors import InputError, MissingExtraError, UnknownNameError
from isoflop.lab.launchers import find
from isoflop.lab.launchers.find import find_launcher, launcher_names
from isoflop.lab.launchers.launcher import Launcher
from isoflop.testing.launcher_contract import make_study


class Foreign:
    name = "foreign"

    def launch(self, study, rungs, workers, on_event):
        return [f"rung {rung}: not today" for rung in rungs]


@pytest.mark.parametrize("name", ["local", "ray", "slurm"])
def test_our_own_are_found_by_name_without_their_engines(name: str) -> None:
    assert isinstance(find_launcher(name), Launcher)
    assert find_launcher(name).name == name


def test_a_dotted_name_and_an_entry_point_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("theirs")
    module.Launcher = Foreign  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "theirs", module)
    dotted = "theirs:Launcher"
    assert find_launcher(dotted).name == "foreign"
    point = EntryPoint("theirs", dotted, find.GROUP)
    monkeypatch.setattr(find, "entry_points", lambda group, name=None: [point])
    assert find_launcher("theirs").name == "foreign"
    assert "theirs" in launcher_names()


def test_what_is_no_launcher_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="did you mean slurm"):
        find_launcher("slurn")
    with pytest.raises(InputError, match="has no `name` or no `launch`"):
        find_launcher("collections:Counter")
    told = r"^launcher no_such_package:Launcher cannot be made \(No module named"
    with pytest.raises(InputError, match=told):
        find_launcher("no_such_package:Launcher")


@pytest.mark.parametrize(("name", "engine"), [("ray", "ray"), ("slurm", "submitit")])
def test_an_absent_engine_names_its_extra(name: str, engine: str, tmp_path) -> None:
    if importlib.util.find_spec(engine):
        pytest.skip(f"{engine} is installed")
    with pytest.raises(MissingExtraError, match=rf"isoflop\[{name}\]"):
        find_launcher(name).launch(make_study(tmp_path), ["d4"], 1, lambda event: None)
