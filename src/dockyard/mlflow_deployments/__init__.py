"""Owns the deployment plugins for MLflow: `mlflow deployments … -t dockyard-k8s` and `-t dockyard-sagemaker`.

MLflow finds them by entry points of the group `mlflow.deployments`. They turn what MLflow was told into the requests that the
command line makes, and call the same use cases. Must not decide anything about a deployment.

client      MLflow's deployment client, for any target
config      what `-C key=value` means
payload     the inputs of `predict` as a request's body
errors      our errors as MLflow's
k8s         the plugin `dockyard-k8s`
sagemaker   the plugin `dockyard-sagemaker`
"""
