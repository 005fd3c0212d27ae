"""Run the study on text: `python -m studies.text --plan`, then without it."""

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

from isoflop.base.errors import IsoflopError  # noqa: E402
from isoflop.lab.engines.probe import probe_machine  # noqa: E402
from studies.text.drive import Step, measure, price_parts, run_steps, write_texts  # noqa: E402
from studies.text.page import write_page  # noqa: E402
from studies.text.parts import PARTS, find_parts  # noqa: E402
from studies.text.sizes import SIZES  # noqa: E402

PAGE = Path("docs/reproductions/text.md")


@dataclass(frozen=True)
class Options:
    """What was asked for."""

    out: Path
    page: Path
    size: str
    only: tuple[str, ...]
    hours: float | None
    plan: bool


def main(arguments: list[str] | None = None) -> int:
    """Price, train, measure and write the page; run again to resume.

    Args:
        arguments: of the command line; the process's own if None.
    """
    try:
        return _run(_read(arguments))
    except IsoflopError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _run(options: Options) -> int:
    size, parts = SIZES[options.size], find_parts(options.only)
    write_texts(parts, size, options.out)
    steps = price_parts(parts, size, options.out, probe_machine())
    print(price_table(steps))
    if options.plan:
        return 0
    left = run_steps(steps, options.out, options.hours)
    for part in parts:
        found = measure(part, size, options.out)
        print(f"{part.name}: {'measured' if found else 'not yet'}")
    print(write_page(options.out, options.page))
    for step in left:
        print(f"left for later, {step.seconds / 60:.0f} min: {step.training.name}")
    return 0


def price_table(steps: list[Step]) -> str:
    """Return the plan as text: every training with its runs, FLOPs and minutes."""
    lines = [f"{'part':<14}{'ladder':<18}{'runs':>5}{'FLOPs':>10}{'minutes':>9}  state"]
    for step in steps:
        state = "done" if step.done else "to do"
        lines.append(
            f"{step.part:<14}{step.training.name:<18}{step.runs:>5}{step.flops:>10.2g}"
            f"{step.seconds / 60:>9.1f}  {state}"
        )
    todo = [step for step in steps if not step.done]
    flops, seconds = sum(s.flops for s in todo), sum(s.seconds for s in todo)
    runs = sum(s.runs for s in todo)
    lines.append(f"{'to do':<32}{runs:>5}{flops:>10.2g}{seconds / 60:>9.1f}")
    return "\n".join(lines)


def _read(arguments: list[str] | None) -> Options:
    parser = argparse.ArgumentParser(prog="python -m studies.text", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("study/text"), help="study folder")
    parser.add_argument("--page", type=Path, help=f"page to write; {PAGE}, or OUT/text.md if tiny")
    parser.add_argument("--only", action="append", default=[], choices=[p.name for p in PARTS])
    parser.add_argument("--hours", type=float, help="start nothing that would take longer")
    parser.add_argument("--tiny", action="store_true", help="everything in minutes, for tests")
    parser.add_argument("--plan", action="store_true", help="print the prices and stop")
    found = parser.parse_args(arguments)
    out = found.out / "tiny" if found.tiny else found.out
    page = found.page or (out / "text.md" if found.tiny else PAGE)
    size = "tiny" if found.tiny else "full"
    return Options(out, page, size, tuple(found.only), found.hours, found.plan)


if __name__ == "__main__":
    sys.exit(main())
