"""What shops were told, as rows."""
