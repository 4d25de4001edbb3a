"""What is told about requests: metrics, logs. Never prompts, never answers."""
