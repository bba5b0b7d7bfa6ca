"""Rows of webhooks, and of what each of them is told."""
