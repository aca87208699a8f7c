"""Owns the Renderer port: a blueprint's objects as files in the form that another tool applies.

files        objects become files of a form, one each
forms        what a form makes of the objects, and the objects that it adds
progressive  what Argo Rollouts and Flagger make of them, and are told of shares and waits
values       what the Helm chart is given instead of objects
"""
