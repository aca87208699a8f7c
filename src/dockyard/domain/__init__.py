"""The words of Dockyard as frozen values and errors. Standard library only; no I/O, no clock, no randomness."""
