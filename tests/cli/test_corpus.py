"""`isoflop corpus` on the embedded text and on files of the test's own; nothing is fetched."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ISOFLOP_CACHE", str(tmp_path / "cache"))


def test_list_names_every_corpus_with_state_size_and_licence(isoflop) -> None:
    rows = {row["name"]: row for row in isoflop("corpus", "list", "--json").document}
    assert {"sotu", "english", "linux-c"} <= set(rows)
    assert rows["sotu"]["state"] == "embedded"
    assert rows["english"]["state"] == "to get"
    assert rows["linux-c"]["licence"] == "GPL-2.0"
    shown = isoflop("corpus", "list").out
    assert all(name in shown for name in rows)


def test_show_measures_the_overlap_when_asked(isoflop) -> None:
    result = isoflop("corpus", "show", "sotu", "--overlap", "--json")
    assert result.code == 0
    assert result.document["overlap"]["held_out_documents"] == 24
    assert result.document["overlap"]["same_documents"] == 0
    assert "overlap" not in isoflop("corpus", "show", "sotu", "--json").document


def test_show_exits_with_1_where_the_held_out_text_is_trained_on(isoflop) -> None:
    Path("texts").mkdir()
    for number in range(20):
        text = " ".join(f"word{k * (number % 5 + 1) % 97}" for k in range(200))
        (Path("texts") / f"{number:02}.txt").write_text(text)
    result = isoflop("corpus", "show", "texts", "--overlap", "--json")
    assert result.code == 1
    assert result.document["findings"][0]["code"] == "held-out-overlap"
    assert result.err.startswith("error: held-out-overlap: 2 documents of 2 held out and 100.0 %")


def test_get_refuses_what_it_does_not_know_or_need_not(isoflop) -> None:
    unknown = isoflop("corpus", "get", "linuxc")
    assert (unknown.code, unknown.out) == (2, "")
    assert "did you mean linux-c?" in unknown.err
    assert isoflop("corpus", "get", "sotu").code == 2
    assert "cannot be read as a corpus file" in isoflop("corpus", "get", "none.toml").err
