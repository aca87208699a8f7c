"""A stand-in for the AWS services that a deployment to SageMaker uses, on one loopback port, running real images.

Owns SageMaker's control and data plane, a container registry, and the way to moto for everything else. Imports nothing from
dockyard. Must not be reachable from outside this machine: it has no secrets and checks none.
"""
