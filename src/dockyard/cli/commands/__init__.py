"""One module for each verb: its options, one request, one use case, one result."""
