"""Orders of shops, and what became of the codes in them."""
