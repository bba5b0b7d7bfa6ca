"""Handles made for those who name none."""

import re
import unicodedata


def handle_from(name: str) -> str:
    """A handle made of a name: lower case letters and digits, words joined by hyphens; empty where there are none."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:64].strip("-")
