"""Customers, segments and audiences."""
