"""What is done with codes by the many."""
