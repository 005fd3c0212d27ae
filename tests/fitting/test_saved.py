"""A fit is a file, and the file is the fit."""

import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from planted import SURFACES, isoflop_design, make_table

import isoflop
from isoflop.base.errors import InputError, IsoflopError
from isoflop.fitting.fit import Fit
from isoflop.fitting.foresight.foresight import predict_loss
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec
from isoflop.fitting.saved import read_fit, write_fit
from isoflop.plan.optimum.choose import plan_budget

EPOCH = SURFACES["epoch"]
TABLE = make_table(EPOCH, *isoflop_design(EPOCH, points=9), noise=0.005)
SPEC = FitSpec(n_resamples=40, n_starts=8)


def make_fit(case: str):
    if case == "isoflop":
        return isoflop.fit(TABLE, method="isoflop", spec=SPEC)
    name, _, over = case.partition(" over ")
    return isoflop.fit(TABLE, name, over=over or None, spec=SPEC)


CASES = (
    "chinchilla",
    "kaplan-nd",
    "kaplan-nd-constant",
    "power over flops",
    "power-constant over n_params",
    "isoflop",
)


@pytest.mark.parametrize("case", CASES)
def test_write_read_write_gives_the_same_bytes(case: str, tmp_path: Path) -> None:
    first = write_fit(make_fit(case), tmp_path / "law.json")
    second = write_fit(read_fit(first), tmp_path / "again.json")
    assert second.read_bytes() == first.read_bytes()


def test_the_same_seed_writes_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    contents = []
    for k, seed in enumerate((5, 5, 6)):
        fit = isoflop.fit(TABLE, spec=FitSpec(n_resamples=40, n_starts=8, seed=seed))
        contents.append(write_fit(fit, tmp_path / f"{k}.json").read_bytes())
    assert contents[0] == contents[1] != contents[2]


@pytest.mark.parametrize("case", ["chinchilla", "kaplan-nd-constant", "isoflop"])
def test_a_plan_from_the_file_is_the_plan_from_the_fit(case: str, tmp_path: Path) -> None:
    fit = make_fit(case)
    path = write_fit(fit, tmp_path / "law.json")
    assert plan_budget(str(path), 1e23).to_dict() == plan_budget(fit, 1e23).to_dict()


def test_a_prediction_from_the_file_is_the_prediction_from_the_fit(tmp_path: Path) -> None:
    fit = make_fit("chinchilla")
    back = read_fit(write_fit(fit, tmp_path / "law.json"))
    assert isinstance(fit, Fit)
    assert isinstance(back, Fit)
    at = {"n_params": np.array([1e9]), "n_tokens": np.array([2e10])}
    assert predict_loss(back, at) == predict_loss(fit, at)
    assert str(back) == str(fit)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "law.json: not valid JSON"),
        (b"{", "law.json: not valid JSON"),
        (b"\xff\xfe", "law.json: cannot be read as a fit (UnicodeDecodeError)"),
        (b"[]", "law.json: not a fit; expected a file written by `isoflop fit -o`"),
        (b"{}", "law.json: not a fit; expected a file written by `isoflop fit -o`"),
        (
            b'{"format": "isoflop-fit", "version": 2}',
            "law.json: fit format version 2, this isoflop reads 1",
        ),
        (
            b'{"format": "isoflop-fit", "version": 1}',
            "law.json: not a complete fit: `law` missing, and nothing is taken for granted",
        ),
    ],
)
def test_what_is_no_fit_is_refused_in_one_line(
    content: bytes, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("law.json").write_bytes(content)
    with pytest.raises(InputError) as refused:
        read_fit("law.json")
    assert str(refused.value).startswith(message)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_fit(tmp_path / "none.json")
    with pytest.raises(InputError, match="IsADirectoryError"):
        read_fit(tmp_path)


def test_parameters_no_solver_wrote_are_refused(tmp_path: Path) -> None:
    path = write_fit(make_fit("chinchilla"), tmp_path / "law.json")
    for k, wrong in ((0, -1.8), (3, 0.0), (4, 99.0)):
        document = json.loads(path.read_text(encoding="utf-8"))
        document["arrays"]["theta"][k] = wrong
        (tmp_path / "edited.json").write_text(json.dumps(document), encoding="utf-8")
        with pytest.raises(InputError, match="out of bounds"):
            read_fit(tmp_path / "edited.json")


def leaves(node: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """Paths of everything in a document, but of three draws only."""
    children = (
        node.items()
        if isinstance(node, dict)
        else enumerate(node[:3])
        if isinstance(node, list)
        else ()
    )
    return [path, *(leaf for key, child in children for leaf in leaves(child, (*path, key)))]


def test_a_fit_with_any_one_thing_changed_is_read_or_refused_never_worse(tmp_path: Path) -> None:
    original = write_fit(make_fit("chinchilla"), tmp_path / "law.json").read_text(encoding="utf-8")
    rng = random.Random(0)
    paths = [path for path in leaves(json.loads(original)) if path]
    refused = 0
    for path in paths:
        document = json.loads(original)
        *parents, last = path
        node = document
        for key in parents:
            node = node[key]
        wrong = rng.choice([None, "x", -1, 10**400, [], {}, True, [[]], 1e-300, ...])
        if wrong is ...:
            del node[last]
        else:
            node[last] = wrong
        (tmp_path / "edited.json").write_text(json.dumps(document), encoding="utf-8")
        try:
            plan_budget(str(tmp_path / "edited.json"), 1e22).to_dict()
        except IsoflopError:
            refused += 1
    assert refused > len(paths) / 4


@pytest.mark.parametrize(
    "key",
    ["loss", "loss.kind", "loss.delta", "loss.scale", "versions.isoflop", "versions.numpy",
     "misfit", "arrays.misfit", "profiles", "basins.n_given_up", "data.best"],
)  # fmt: skip
def test_what_a_saved_fit_lacks_is_refused_by_name_and_not_filled_in(
    key: str, tmp_path: Path
) -> None:
    spec = FitSpec(Objective("huber", 1e-3, "linear"), n_resamples=40, n_starts=8)
    path = write_fit(isoflop.fit(TABLE, spec=spec), tmp_path / "law.json")
    document = json.loads(path.read_text(encoding="utf-8"))
    node, *inner = key.split(".")
    del (document[node] if inner else document)[inner[0] if inner else node]
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(InputError, match=f"not a complete fit: `{key}` missing"):
        read_fit(path)


def test_a_frontier_without_its_bias_is_refused(tmp_path: Path) -> None:
    path = write_fit(make_fit("isoflop"), tmp_path / "law.json")
    document = json.loads(path.read_text(encoding="utf-8"))
    del document["bias"]
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(InputError, match="`bias` missing"):
        read_fit(path)


def test_a_file_holds_the_covariance_the_versions_and_the_fingerprint(tmp_path: Path) -> None:
    fit = make_fit("chinchilla")
    path = write_fit(fit, tmp_path / "law.json")
    document = json.loads(path.read_text(encoding="utf-8"))
    assert document["versions"] == {"isoflop": isoflop.__version__, "numpy": np.__version__}
    assert document["data"]["sha256"] == TABLE.sha256(("n_params", "n_tokens", "loss", "flops"))
    assert np.array(document["arrays"]["covariance"]) == pytest.approx(fit.covariance, rel=0)
    back = read_fit(path)
    assert isinstance(back, Fit)
    for name in ("theta", "draws", "residuals", "covariance"):
        assert getattr(back, name).tobytes() == getattr(fit, name).tobytes()
    assert back.interval == fit.interval
    assert back.scales == fit.scales


def test_a_parameter_left_free_is_written_as_null_and_read_as_infinite(tmp_path: Path) -> None:
    fit = make_fit("chinchilla")
    free = fit.covariance.copy()
    free[0, 0] = np.inf
    back = read_fit(write_fit(replace(fit, covariance=free), tmp_path / "law.json"))
    assert isinstance(back, Fit)
    assert np.isinf(back.covariance[0, 0])
    assert np.isnan(back.correlations[0]).all()
