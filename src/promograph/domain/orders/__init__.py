"""Orders of shops: what is said of them, and what of their codes' uses is to stand."""
