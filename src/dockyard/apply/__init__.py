"""Does what plans say: the interpreter (journal, retries, undo) and the handlers that turn steps into calls of ports."""
