"""`isoflop published`: what there is, where it comes from, and a run table of it."""

import hashlib
from pathlib import Path

import pytest

from isoflop.exchange.published.registry import find_published_table, published_table_names


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ISOFLOP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ISOFLOP_DATA", str(tmp_path / "data"))


def test_the_list_names_every_table_and_its_state(isoflop) -> None:
    found = isoflop("published", "list", "--json").document
    assert [row["name"] for row in found] == published_table_names()
    assert not any(row["here"] for row in found)
    text = isoflop("published", "list").out
    assert "to be got" in text
    assert "to be made" in text


def test_show_states_source_licence_and_citation(isoflop) -> None:
    text = isoflop("published", "show", "besiroglu-2024-points").out
    for fact in ("epoch-research/analyzing-chinchilla", "none stated", "arXiv 2404.10102"):
        assert fact in text
    found = isoflop("published", "show", "besiroglu-2024-points", "--json").document
    assert found["columns"]["n_params"] == "Model Size"
    assert found["file"] is None


def test_an_unknown_name_and_wrong_bytes_are_one_line(isoflop, tmp_path: Path) -> None:
    result = isoflop("published", "get", "chinchila")
    assert result.code == 2
    assert "unknown published run table" in result.error
    entry = find_published_table("besiroglu-2024-points")
    path = tmp_path / "data" / entry.local
    path.parent.mkdir(parents=True)
    path.write_text("Model Size,Training FLOP,loss\n1e6,6e13,3.5\n")
    wrong = hashlib.sha256(path.read_bytes()).hexdigest()
    result = isoflop("published", "get", "besiroglu-2024-points", "-o", "runs.csv")
    assert result.code == 2
    assert f"sha256 {wrong[:12]}… is not besiroglu-2024-points's 193478df4e90…" in result.error
    assert not Path("runs.csv").exists()
