"""Sends: what they are, how far they are, and what can be done with them."""
