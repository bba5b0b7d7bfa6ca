"""Webhooks in the schema: endpoints, and what each of them is told."""
