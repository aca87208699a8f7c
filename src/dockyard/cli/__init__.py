"""The command line: parses what was typed, calls one use case, and shows its result. The only layer that prints."""
