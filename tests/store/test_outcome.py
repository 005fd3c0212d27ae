import json

import pytest

from isoflop.base.errors import InputError
from isoflop.store.outcome import (
    STATES,
    clear_outcome,
    note_outcome,
    read_outcome,
    write_outcome,
)


def test_an_outcome_is_read_back_and_cleared(tmp_path) -> None:
    folder = tmp_path / "rungs" / "d8"
    assert read_outcome(folder) is None
    clear_outcome(folder)
    for state in STATES:
        write_outcome(folder, state, "first line\nsecond line")
        assert read_outcome(folder) == {"state": state, "message": "first line"}
    on_disk = json.loads((folder / "outcome.json").read_text())
    assert on_disk == {"format": 1, "state": list(STATES)[-1], "message": "first line"}
    clear_outcome(folder)
    assert read_outcome(folder) is None
    assert list(folder.iterdir()) == []


def test_an_outcome_without_a_message_says_what_its_state_means(tmp_path) -> None:
    write_outcome(tmp_path, "oom", "  ")
    assert read_outcome(tmp_path) == {"state": "oom", "message": "memory ran out"}


@pytest.mark.parametrize("content", [b"{", b'{"format": 1, "state": "tired", "message": ""}'])
def test_a_damaged_outcome_names_its_file(tmp_path, content) -> None:
    (tmp_path / "outcome.json").write_bytes(content)
    with pytest.raises(InputError, match=r"outcome\.json.*delete it"):
        read_outcome(tmp_path)


def test_an_unknown_state_is_refused(tmp_path) -> None:
    with pytest.raises(InputError, match="'tired' is none of oom"):
        write_outcome(tmp_path, "tired", "")


def test_an_outcome_that_the_disk_refuses_is_let_go(tmp_path) -> None:
    (tmp_path / "rung").write_text("a file where a folder must be")
    note_outcome(tmp_path / "rung", "crashed", "it died")
    note_outcome(tmp_path / "other", "crashed", "it died")
    assert read_outcome(tmp_path / "other") == {"state": "crashed", "message": "it died"}
