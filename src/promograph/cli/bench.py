"""`promograph bench`."""


def bench() -> None:
    """To be replaced."""
