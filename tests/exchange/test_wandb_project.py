"""Live W&B projects against a client of the public surface: Api.runs, Api.run, Run.scan_history."""

import math
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from isoflop.base.errors import InputError, MissingExtraError
from isoflop.cli.main import run as run_command
from isoflop.exchange.import_runs import import_runs
from isoflop.exchange.sources import wandb_project

KEY = "canary0123456789canary0123456789canary00"
N_STEPS = 3_000


class CommError(Exception):
    """As wandb.errors.CommError."""


class FakeRun:
    """One run as wandb 0.2x and 0.3x show it."""

    def __init__(self, k: int, *, state: str = "finished", kept: int = N_STEPS) -> None:
        self.id, self.name, self.state = f"id{k}", f"tiny-{k}", state
        self.config = {"n_params": 1000 * (k + 1), "lr": 1e-3, "_wandb": {"t": 1},
                       "model": {"n_layer": 2}}  # fmt: skip
        self.summary_metrics = {"eval/loss": 4 - (N_STEPS - 1) / 1000, "_step": N_STEPS - 1}
        self.lastHistoryStep = N_STEPS - 1
        self.kept = kept
        self.scans = 0
        self.fail: list[Exception] = []

    def history(self, *_: Any, **__: Any) -> None:
        raise AssertionError("history is sampled")

    def scan_history(
        self,
        keys: list[str] | None = None,
        page_size: int = 1_000,
        min_step: int = 0,
        max_step: int | None = None,
    ) -> Iterator[dict[str, Any]]:
        assert keys is None, "a scan by keys leaves out the rows that lack one of them"
        self.scans += 1
        for step in range(self.kept):
            if step == 1_500 and self.fail:
                raise self.fail.pop(0)
            yield {"_step": step, "_runtime": 0.1 * step, "tokens": 100 * step,
                   "eval/loss": 4 - step / 1000, "odd": "NaN",
                   "picture": {"_type": "image-file", "path": "a.png"}}  # fmt: skip


class FakeApi:
    """The listing, of `listed` runs."""

    listed: tuple[FakeRun, ...] = ()
    fail: tuple[Exception, ...] = ()

    def __init__(self, overrides: dict | None = None, timeout: int | None = None) -> None:
        assert timeout

    def runs(self, path: str, filters: dict | None = None, order: str = "+created_at") -> list:
        for error in FakeApi.fail:
            raise error
        assert path == "team/ladder"
        return list(FakeApi.listed)

    def run(self, path: str) -> FakeRun:
        return next(each for each in FakeApi.listed if path == f"team/ladder/{each.id}")


@pytest.fixture(autouse=True)
def client(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Install the client; return the seconds slept."""
    module: Any = types.ModuleType("wandb")
    module.Api = FakeApi
    slept: list[float] = []
    monkeypatch.setitem(sys.modules, "wandb", module)
    monkeypatch.setattr(wandb_project.time, "sleep", slept.append)
    monkeypatch.setattr(FakeApi, "listed", (FakeRun(0), FakeRun(1, state="crashed")))
    monkeypatch.setattr(FakeApi, "fail", ())
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    return slept


def test_every_point_of_every_run_is_read() -> None:
    imported = import_runs("wandb:team/ladder")
    assert imported.format == "W&B project"
    assert imported.n_read == 2 * N_STEPS * 3  # tokens, loss and odd; private keys left out
    assert imported.refused == imported.gaps == imported.ends == ()
    table = imported.table
    assert table.names() == ["tiny-0", "tiny-1"]
    assert table.text("status") == ["finished", "crashed"]
    assert table.numbers("loss") == pytest.approx([4 - 2.999] * 2, rel=1e-15)
    assert table.numbers("n_params").tolist() == [1000, 2000]
    assert table.numbers("n_tokens").tolist() == [299_900] * 2
    assert table.numbers("n_layer").tolist() == [2, 2]
    mean = import_runs("wandb:team/ladder", final="mean:0.1").table.numbers("loss")[0]
    first = math.floor(0.9 * (N_STEPS - 1)) + 1
    steps = range(first, N_STEPS)
    assert mean == pytest.approx(4 - sum(steps) / len(steps) / 1000, rel=1e-12)


def test_one_run_by_its_id() -> None:
    table = import_runs("wandb:team/ladder/id1").table
    assert table.names() == ["tiny-1"]


def test_a_scan_that_ends_early_is_told() -> None:
    FakeApi.listed = (FakeRun(0, kept=2_000),)
    imported = import_runs("wandb:team/ladder")
    assert imported.ends == (
        "tiny-0: points end at step 1999, the run at 2999",
        "tiny-0 eval/loss: last point 2.001, its summary 1.001",
    )


def test_runs_of_one_name_are_told_apart() -> None:
    FakeApi.listed = (FakeRun(0), FakeRun(0))
    assert import_runs("wandb:team/ladder").table.names() == ["tiny-0", "tiny-0 #2"]


def test_a_busy_server_is_asked_again_and_nothing_is_read_twice(client: list[float]) -> None:
    FakeApi.listed[0].fail = [CommError("HTTP 429: rate limit exceeded"), CommError("HTTP 503")]
    imported = import_runs("wandb:team/ladder")
    assert imported.n_read == 2 * N_STEPS * 3
    assert imported.refused == ()
    assert client == list(wandb_project.WAITS[:2])
    assert [each.scans for each in FakeApi.listed] == [3, 1]


def test_a_server_that_stays_busy_ends_the_import(client: list[float]) -> None:
    FakeApi.fail = (CommError("HTTP 429 (Too Many Requests)"),)
    with pytest.raises(InputError, match=r"wandb:team/ladder: W&B is busy, asked 4 times"):
        import_runs("wandb:team/ladder")
    assert client == list(wandb_project.WAITS)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("Could not find project ladder"), "no such project"),
        (CommError("HTTP 401: invalid api_key " + KEY), "refused the login; run `wandb login`"),
        (CommError("It appears that you do not have permission"), "refused the login"),
        (RuntimeError(f"Authorization: Basic {KEY}"), "refused the login"),
        (RuntimeError(f"x {KEY}"), r"cannot be read \(RuntimeError\)"),
    ],
)
def test_a_refusal_is_one_line_without_the_key(
    error: Exception, said: str, client: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    FakeApi.fail = (error,)
    with pytest.raises(InputError, match=said) as refused:
        import_runs("wandb:team/ladder")
    assert refused.value.__cause__ is None
    assert run_command(["import", "wandb:team/ladder"]) == 2
    out = capsys.readouterr()
    assert out.err.count("\n") == 1
    assert KEY not in out.err + out.out + str(refused.value)
    assert client == []


def test_the_key_is_in_nothing_that_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for suffix in ("csv", "jsonl", "wandb.csv", "db"):
        assert run_command(["import", "wandb:team/ladder", "-o", f"runs.{suffix}", "--json"]) == 0
    out = capsys.readouterr()
    assert KEY not in out.out + out.err
    written = list(tmp_path.rglob("*"))
    assert len(written) == 4
    assert all(KEY.encode() not in path.read_bytes() for path in written)


@pytest.mark.parametrize("address", ["wandb:", "wandb:team", "wandb:a/b/c/d", "wandb:../../etc/x"])
def test_another_address_is_refused(address: str) -> None:
    with pytest.raises(InputError, match="expected wandb:ENTITY/PROJECT"):
        import_runs(address)


def test_without_the_client_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(MissingExtraError, match=r"isoflop\[wandb\]"):
        import_runs("wandb:team/ladder")
