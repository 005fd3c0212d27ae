"""Fetching and reading, against a server of our own: once, on request, and never wrong bytes."""

import gzip
import hashlib
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from isoflop.base.errors import InputError, MissingExtraError
from isoflop.exchange.published.fetch import get_published
from isoflop.exchange.published.read import cached_path, published_runs
from isoflop.exchange.published.registry import PublishedTable

CONTENT = b"Model Size,Training FLOP,loss\n1e6,6e13,3.5\n2e6,2.4e14,3.1\n"


def entry_of(content: bytes, name: str = "runs.csv") -> PublishedTable:
    return PublishedTable(
        name="mine",
        title="two runs",
        repository="someone/somewhere",
        commit="0" * 40,
        path=f"data/{name}",
        local=f"mine/{name}",
        sha256=hashlib.sha256(content).hexdigest(),
        licence="MIT",
        citation="Someone 2024",
        rows=2,
        columns={"n_params": "Model Size", "flops": "Training FLOP", "loss": "loss"},
        constant={"eval_set": "C4 validation"},
    )


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ISOFLOP_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("ISOFLOP_DATA", raising=False)
    return tmp_path / "cache"


class Server:
    """Serves one content and counts who asks."""

    def __init__(self) -> None:
        self.content, self.asked = CONTENT, []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(self.path)
                self.send_response(200 if server.content else 404)
                self.end_headers()
                self.wfile.write(server.content)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"http://127.0.0.1:{self.http.server_port}"


@pytest.fixture
def server() -> Iterator[Server]:
    pytest.importorskip("pooch")
    served = Server()
    thread = threading.Thread(target=served.http.serve_forever)
    thread.start()
    yield served
    served.http.shutdown()
    thread.join()
    served.http.server_close()


def test_a_table_is_fetched_once_and_read_with_its_columns_mapped(server: Server) -> None:
    entry = replace(entry_of(CONTENT), host=server.host)
    first, second = get_published(entry), get_published(entry)
    assert (first.fresh, second.fresh) == (True, False)
    assert server.asked == [f"/someone/somewhere/{'0' * 40}/data/runs.csv"]
    runs = published_runs(entry)
    assert runs.numbers("n_params").tolist() == [1e6, 2e6]
    assert runs.text("eval_set") == ["C4 validation"] * 2
    assert runs.mapping["flops"] == "Training FLOP"
    assert runs.notes == ("published as Someone 2024",)
    assert "n_tokens" not in runs


def test_nothing_is_fetched_by_reading(server: Server) -> None:
    with pytest.raises(InputError, match="isoflop published get mine"):
        published_runs(replace(entry_of(CONTENT), host=server.host))
    assert server.asked == []


def test_wrong_bytes_are_one_error_and_leave_nothing_behind(server: Server) -> None:
    entry = replace(entry_of(CONTENT), host=server.host)
    server.content = CONTENT + b"3e6,1e15,2.9\n"
    with pytest.raises(InputError, match=r"sha256 .* is not mine's"):
        get_published(entry)
    assert list(cached_path(entry).parent.iterdir()) == []
    server.content = CONTENT
    assert get_published(entry).rows == 2


def test_a_part_left_by_a_killed_fetch_is_not_taken_for_the_file(server: Server) -> None:
    entry = replace(entry_of(CONTENT), host=server.host)
    part = cached_path(entry).with_name("runs.csv.part")
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT[:20])
    assert get_published(entry).rows == 2


def test_a_source_that_does_not_answer_is_one_error(server: Server) -> None:
    server.content = b""
    with pytest.raises(InputError, match="cannot be fetched from http"):
        get_published(replace(entry_of(CONTENT), host=server.host))


def test_without_a_network_the_one_sentence_names_the_folder_to_set() -> None:
    pytest.importorskip("pooch")
    entry = replace(entry_of(CONTENT), host="http://127.0.0.1:1")
    with pytest.raises(InputError) as refused:
        get_published(entry)
    assert str(refused.value) == (
        f"mine: cannot be fetched from {entry.address} (ConnectionError); check the network, or "
        "set ISOFLOP_DATA to a folder that holds mine/runs.csv"
    )
    assert not cached_path(entry).exists()
    with pytest.raises(InputError, match=r"set ISOFLOP_DATA to a folder that holds mine/runs\.csv"):
        published_runs(entry)


def test_the_hash_is_checked_on_every_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ISOFLOP_DATA", str(tmp_path))
    entry = entry_of(CONTENT)
    path = tmp_path / entry.local
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    assert len(published_runs(entry)) == 2
    path.write_bytes(CONTENT.replace(b"3.5", b"3.4"))
    with pytest.raises(InputError, match="changed or cut short"):
        published_runs(entry)


def test_a_gzipped_table_is_hashed_packed_and_read_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ISOFLOP_DATA", str(tmp_path))
    packed = gzip.compress(CONTENT, mtime=0)
    entry = entry_of(packed, "runs.csv.gz")
    (tmp_path / "mine").mkdir()
    (tmp_path / entry.local).write_bytes(packed)
    assert published_runs(entry).numbers("loss").tolist() == [3.5, 3.1]


def test_a_table_made_from_its_source_says_that_it_cannot_be_fetched() -> None:
    entry = replace(entry_of(CONTENT), made="by a notebook")
    with pytest.raises(InputError, match=r"by a notebook.*cannot be fetched; set ISOFLOP_DATA"):
        get_published(entry)


def test_without_pooch_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(MissingExtraError, match=r"isoflop\[published\]"):
        get_published(entry_of(CONTENT))
