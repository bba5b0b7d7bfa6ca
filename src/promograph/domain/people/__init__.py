"""Customers, what is known of them, and how they are grouped."""
