"""`promograph demo`."""


def demo() -> None:
    """To be replaced."""
