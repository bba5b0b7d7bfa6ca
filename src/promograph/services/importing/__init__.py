"""Files read by jobs."""
