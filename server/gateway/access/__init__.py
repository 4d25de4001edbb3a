"""Who may ask for what: keys, their limits, and the record of what was changed."""
