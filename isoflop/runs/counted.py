"""Numbers of things, in English."""


def counted(number: float, noun: str) -> str:
    """Return a number with its noun, in the plural unless it is one.

    >>> counted(1, "run"), counted(1200, "run"), counted(1.0, "second"), counted(2.5, "second")
    ('1 run', '1200 runs', '1 second', '2.5 seconds')
    """
    said = f"{number:g}" if isinstance(number, float) else str(number)
    return f"{said} {noun}" if number == 1 else f"{said} {noun}s"
