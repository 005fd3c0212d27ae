import io
import subprocess
import sys

from isoflop.lab.launchers.layout import Layout
from isoflop.lab.progress.forecast import Outlook
from isoflop.lab.progress.progress import Lines, default_progress

TWO_RUNGS = Outlook(
    {"d8": 100, "d16": 100},
    {"d8": 0, "d16": 0},
    {"d8": 30.0, "d16": 90.0},
    Layout(2, "on 2 workers", start_seconds=4.0),
)


def test_off_a_terminal_every_finished_run_is_one_line_with_the_time_left() -> None:
    stream = io.StringIO()
    lines = Lines(stream, every_seconds=0.0)
    lines.start(TWO_RUNGS)
    lines.event({"event": "ready"})
    lines.event({"event": "steps", "rung": "d8", "steps": 50})
    lines.event(
        {"event": "run", "rung": "d8", "run": "d8-s0-t1", "loss": 2.5, "diverged_step": None}
    )
    lines.event({"event": "run", "rung": "d8", "run": "d8-s1-t1", "loss": None, "diverged_step": 9})
    lines.event({"event": "failed", "rung": "d16", "message": "no memory"})
    lines.stop()
    text = stream.getvalue().splitlines()
    assert text[0] == "0 s training 2 rungs on 2 workers, about 1:34, 1:34 left"
    assert "12% done" in text[1]
    assert "d8-s0-t1 loss 2.5000" in text[2]
    assert "diverged at step 9" in text[3]
    assert text[4].endswith(" s d16 failed: no memory")
    assert len(text) == 5


def test_one_rung_on_one_worker_is_in_the_singular() -> None:
    stream = io.StringIO()
    layout = Layout(1, "on 1 worker")
    Lines(stream).start(Outlook({"d8": 100}, {"d8": 0}, {"d8": 30.0}, layout))
    assert "training 1 rung on 1 worker, about 34 s" in stream.getvalue()


def test_what_is_on_disk_is_told_and_a_notice_of_no_rung_is_a_note() -> None:
    stream = io.StringIO()
    lines = Lines(stream)
    layout = Layout(1, "on 1 worker", start_seconds=4.0)
    lines.start(Outlook({"d8": 100}, {"d8": 75}, {"d8": 40.0}, layout))
    lines.event({"event": "notice", "message": "another processor"})
    first, second = stream.getvalue().splitlines()
    assert "training 1 rung on 1 worker, 75% of it on disk, about 14 s, 14 s left" in first
    assert second == "0 s note: another processor"


def test_a_stream_that_is_no_terminal_gets_lines() -> None:
    assert isinstance(default_progress(io.StringIO()), Lines)


BARS = """
from isoflop.lab.launchers.layout import Layout
from isoflop.lab.progress.bars import Bars
from isoflop.lab.progress.forecast import Outlook
bars = Bars()
bars.start(Outlook({"d8": 10}, {"d8": 4}, {"d8": 5.0}, Layout(1, "on 1 worker")))
bars.event({"event": "ready"})
bars.event({"event": "steps", "rung": "d8", "steps": 10})
bars.event({"event": "run", "rung": "d8", "run": "r", "loss": 2.0, "diverged_step": None})
bars.stop()
"""


def test_bars_are_drawn_on_standard_error_only() -> None:
    done = subprocess.run([sys.executable, "-c", BARS], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert "d8" in done.stderr


WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
import isoflop.lab
from isoflop.base.errors import MissingExtraError
try:
    isoflop.lab.run_ladder
except MissingExtraError as error:
    print(error)
"""


def test_without_torch_the_extra_is_named_in_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH], capture_output=True, text=True, check=True
    )
    assert done.stdout == "training needs an extra: pip install 'isoflop[train]'\n"


def test_the_package_and_its_lab_import_no_torch() -> None:
    code = "import sys, isoflop.lab, isoflop.store.study; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
