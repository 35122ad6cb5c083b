"""The commands: each says what it will write, does it, and ends with the answer and the next command."""
