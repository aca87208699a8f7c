"""What runs in the tracking server's image: MLflow's server with a database that it can reach, watch and migrate.

Owns the way to the database (settings, passwords, schema, migrations), the front that answers probes and lets requests
through, and the start of MLflow's own application behind it. Must not import anything of `dockyard`.
"""
