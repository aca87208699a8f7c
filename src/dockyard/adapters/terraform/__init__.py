"""Owns an endpoint as Terraform: a call of the repository's module `endpoint`.

arguments   a blueprint becomes the module's arguments, or is refused where the module has none for it
hcl         values as Terraform's language writes them
renderer    the files, in a folder
"""
