"""docs/security.md names tests that are there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_proof_on_the_page_is_a_file_or_folder_of_tests() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ") and "proved by" not in line]
    assert len(rows) >= 16
    for row in rows:
        proofs = re.findall(r"`(tests/[^`]+)`", row.rsplit("|", 2)[1])
        assert proofs, row
        assert all((ROOT / proof).exists() for proof in proofs), row
