"""Numbers of things, in English."""


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless it is one.

    >>> counted(1, "run"), counted(1200, "run")
    ('1 run', '1200 runs')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
