"""In-memory fakes for every port: for Dockyard's own tests, and for users who test what they build on it."""
