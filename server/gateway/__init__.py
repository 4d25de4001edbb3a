"""The gateway: one process, the public socket, OpenAI's wire. See README.md one level up."""
