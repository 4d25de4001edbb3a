"""PEFT's folder, the only place where its names are known: config, header, deltas in and out."""
