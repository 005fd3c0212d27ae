import pytest

from isoflop.base.errors import InputError, IsoflopError
from isoflop.store.journal import Journal, format_line, read_journal, rewrite_journal

RECORDS = [{"tokens": 64 * i, "loss": [2.5 / i, None], "phase": "trunk"} for i in range(1, 4)]


def test_what_is_appended_reads_back(tmp_path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        for record in RECORDS:
            journal.append(record)
    content = read_journal(path)
    assert content.records == tuple(RECORDS)
    assert content.torn == 0
    assert content.n_bytes == path.stat().st_size


def test_a_tail_torn_at_any_byte_costs_that_line_only(tmp_path) -> None:
    path = tmp_path / "journal.jsonl"
    whole = b"".join(format_line(record) for record in RECORDS)
    last = len(format_line(RECORDS[-1]))
    for cut in range(1, last):
        path.write_bytes(whole[: len(whole) - cut])
        content = read_journal(path)
        assert content.records == tuple(RECORDS[:2])
        assert content.torn == last - cut


def test_the_next_writer_cuts_a_torn_tail(tmp_path) -> None:
    path = tmp_path / "journal.jsonl"
    whole = b"".join(format_line(record) for record in RECORDS)
    path.write_bytes(whole[:-5])
    with Journal(path) as journal:
        journal.append(RECORDS[-1])
    assert path.read_bytes() == whole


def test_any_flipped_byte_before_the_last_line_is_refused(tmp_path) -> None:
    path = tmp_path / "journal.jsonl"
    whole = b"".join(format_line(record) for record in RECORDS)
    for place in range(len(format_line(RECORDS[0])) - 1):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        path.write_bytes(bytes(damaged))
        with pytest.raises(InputError, match="damaged"):
            read_journal(path)


def test_a_journal_has_one_writer(tmp_path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path), pytest.raises(IsoflopError, match="another process"):
        Journal(path)


def test_rewriting_gives_the_bytes_that_appending_gives(tmp_path) -> None:
    with Journal(tmp_path / "a") as journal:
        for record in RECORDS:
            journal.append(record)
    rewrite_journal(tmp_path / "b", RECORDS)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
