"""Codes by the many: how they are made, read from files, selected, changed and counted."""
