"""How long something takes, as every command writes it."""


def clock(seconds: float) -> str:
    """Write a duration: seconds below a minute, m:ss below an hour, h:mm with its h beyond.

    >>> clock(42.4), clock(200.2), clock(7500)
    ('42 s', '3:20', '2:05 h')
    """
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d}"
    minutes = round(seconds / 60)
    return f"{minutes // 60}:{minutes % 60:02d} h"
