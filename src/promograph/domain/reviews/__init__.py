"""What a marketer is told of a promotion before it runs."""
