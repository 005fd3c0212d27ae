"""One published number beside the same found here, as a line of a page's table."""

from dataclasses import dataclass

from benchmarks._agreement import digits_agreed, write_plain


@dataclass(frozen=True)
class Reproduced:
    """One published number and the same found here.

    Args:
        paper: whose, or which of its fits.
        what: which quantity.
        published: as printed.
        ours: as found.
        why: why not all digits agree, "" where they do; None leaves the column out.
    """

    paper: str
    what: str
    published: str
    ours: float
    why: str | None = None

    @property
    def digits(self) -> str:
        """The digits agreed, or `all`."""
        return digits_agreed(self.published, self.ours)

    def line(self) -> str:
        """Return the line of the page's table."""
        shown = write_plain(self.ours, self.published)
        cells = [self.paper, self.what, self.published, shown, self.digits]
        if self.why is not None:
            cells.append("" if self.digits == "all" else self.why)
        return f"| {' | '.join(cells)} |".replace("|  |", "| |")
