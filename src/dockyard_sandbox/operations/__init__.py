"""SageMaker's operations, one module for each kind of resource. Each offers a table of them by name."""
