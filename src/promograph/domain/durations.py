"""Lengths of time as ISO 8601 writes them, without months and years (which have no fixed length)."""

import re
from datetime import timedelta

_ISO = re.compile(r"P(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,9})S)?)?")


def parse_duration(text: str) -> timedelta:
    """`PT48H`, `P30D`, `P1DT12H`, `P2W`; ValueError for anything else."""
    found = _ISO.fullmatch(text)
    if found is None or not any(found.groups()):
        raise ValueError("A duration is written like PT48H, P30D or P1DT12H.")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


def show_duration(length: timedelta) -> str:
    """The shortest of the forms that `parse_duration` reads; whole seconds."""
    seconds = int(length.total_seconds())
    days, seconds = divmod(seconds, 86_400)
    hours, seconds = divmod(seconds, 3_600)
    minutes, seconds = divmod(seconds, 60)
    time = "".join(f"{value}{unit}" for value, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if value)
    date = f"{days}D" if days else ""
    if not date and not time:
        return "PT0S"
    return f"P{date}T{time}" if time else f"P{date}"
