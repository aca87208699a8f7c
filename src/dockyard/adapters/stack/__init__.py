"""Tracking stacks: one embedded in this machine, one in a cluster by the chart, and the book of their wishes."""
