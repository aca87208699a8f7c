"""Owns what the target `k8s` does in a cluster, by the official client of Kubernetes.

api         one call to the API server, with what its answers mean
labels      the labels and annotations that lead back from an object to deployment, revision and registry
manifests   the objects of a blueprint, rendered from the templates
dashboard   the Grafana dashboard of a deployment
replicas    who decides how many pods there are, we or an autoscaler
looks       what is read of the cluster, in our words
routes      what Gateways say about an HTTPRoute
division    what candidates add to the objects while they last
metrics     what scorers have counted, and what Prometheus says
compare     fields that are not as they would be made
cluster     the Cluster port: look, compare, apply
inventory   the ClusterInventory port: list, delete, logs, orphans
lease       the lock of a deployment, which one machine holds at a time
scorer      requests to pods and Services through the API server
"""
