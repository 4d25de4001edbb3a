"""Which adapters the engines hold, and what an engine-side name means."""
