"""Backups of the tracking stack: database and artifacts, taken, kept, proved and brought back.

Owns what lies in the place that backups are kept in:

    backups/ID/tables/NAME.gz   rows of one table, one JSON list a line
    backups/ID/artifacts.gz     key, size, checksum and stamp of each artifact, one JSON list a line
    backups/ID/manifest.json    what the backup holds, with checksums; written last, so without it there is no backup
    objects/ab/abcd…            contents of artifacts by their SHA-256, shared by all backups
"""
