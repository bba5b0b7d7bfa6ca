"""Customers and the groups they are in; conditions as SQL."""
