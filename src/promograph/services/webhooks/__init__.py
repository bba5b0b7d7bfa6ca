"""Use cases of webhooks: set up, told, looked at, told again."""
