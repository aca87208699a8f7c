"""How results look to people: pure functions from a result to lines for stdout and stderr."""
