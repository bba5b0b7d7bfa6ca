"""Messages on their way out, and what providers tell of them."""
