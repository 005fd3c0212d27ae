"""Ctrl+C and SIGTERM stop a ladder within seconds, once, whatever follows them."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stoppable() -> Iterator[None]:
    """Turn the first SIGINT or SIGTERM into a KeyboardInterrupt and ignore those after it.

    So a second Ctrl+C cannot break off the stopping of the workers, which takes no longer than
    killing them. Outside the main thread, where Python delivers no signals, nothing changes.

    Raises:
        KeyboardInterrupt: on either signal.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt(signal.Signals(number).name)

    before = {each: signal.signal(each, stop) for each in _SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
