"""Where `isoflop import` writes: never over what it reads, never against the name."""

from pathlib import Path

import pytest

from isoflop.cli.main import run

TABLE = "n_params,n_tokens,loss\n1e6,2e7,3\n2e6,4e7,2.9\n"


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = Path("r.csv")
    path.write_text(TABLE)
    Path("link.csv").symlink_to("r.csv")
    return path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "r.csv"], "-o r.csv would overwrite r.csv, which is read; name another"),
        (["-o", "link.csv"], "-o link.csv would overwrite r.csv, which is read"),
        (["--attach", "r.csv", "--final", "mean:0.1"], "--columns, --final, --format and --tok"),
        (["--to", "parquet"], "--to parquet is of -o FILE, which is not given"),
        (["-o", "x.csv", "--to", "parquet"], "x.csv: its name says csv, but --to says parquet"),
        (["-o", "x.wandb.csv", "--to", "csv"], "x.wandb.csv: its name says wandb, but --to says"),
        (["-o", "x.txt"], "x.txt: cannot tell the format"),
        (["--tokens-per-step", "-5"], "--tokens-per-step wants a positive number, found -5"),
        (["--tokens-per-step", "nan"], "--tokens-per-step wants a positive number, found nan"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is(
    arguments: list[str], message: str, source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["import", str(source), *arguments]) == 2
    out = capsys.readouterr()
    assert out.out == ""
    assert out.err.startswith(f"error: {message}")
    assert source.read_text() == TABLE
    assert sorted(path.name for path in Path().iterdir()) == ["link.csv", "r.csv"]


def test_a_new_folder_is_said(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["import", str(source), "-o", "new/deep/x.csv"]) == 0
    assert capsys.readouterr().err == "written to new/deep/x.csv, in a new folder new/deep\n"
    assert run(["import", str(source), "-o", "new/deep/y.csv", "--to", "wandb"]) == 0
    assert capsys.readouterr().err == "written to new/deep/y.csv\n"
    assert Path("new/deep/y.csv").read_text().startswith("Name,State,")
