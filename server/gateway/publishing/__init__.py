"""What puts adapters on a running server: versions, steps of a run, uploads, splits."""
