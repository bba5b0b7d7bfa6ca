"""What is not compiled."""


class Declined(Exception):
    """The operation has something in it that only the library can do; the text says what."""
