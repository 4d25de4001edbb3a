"""From the model string to what answers: what exists, what is yours, in which form."""
