"""The promotion: its type, its inputs and what is done with it."""
