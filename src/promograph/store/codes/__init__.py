"""Codes listed, selected, changed and taken back by the many."""
