"""The engines behind a gateway, and how they are."""
