"""Our own small hub: a folder that `huggingface_hub` and the `hf` command accept."""
