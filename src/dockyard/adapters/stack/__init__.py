"""Tracking stacks: containers or one server on this machine, one in a cluster by the chart, and the book of their wishes."""
