"""What a message to many people needs before it leaves, and what becomes of it."""
