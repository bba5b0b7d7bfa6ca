"""What the author of a plugin gets for tests: `conformance`, `fake_channel`; and the database servers of our own."""
