"""One module for each verb: observe, plan, apply, record. Knows ports, planning and apply; never an adapter."""
