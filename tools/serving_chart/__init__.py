"""Owns the chart `helm/model-server`, which is made from the templates of deploys, so that there is one truth.

translate   a Jinja2 template becomes a Helm template
schema      the values that the templates take become a closed JSON Schema
files       all files of the chart
"""
