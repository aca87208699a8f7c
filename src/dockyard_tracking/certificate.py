"""The server's certificate, which may be changed while it serves.

Owns the TLS context of a process, and a thread that looks at the files of certificate and key again and again. A pair that
does not fit is not taken: the one before stays.
"""

from __future__ import annotations

import logging
import ssl
import threading
from dataclasses import dataclass, field
from pathlib import Path

_LOG = logging.getLogger(__name__)
INTERVAL_SECONDS = 10.0


@dataclass(slots=True, kw_only=True)
class Certificate:
    """`tls.crt` and `tls.key` of a folder, as a Secret of type kubernetes.io/tls has them."""

    folder: Path
    context: ssl.SSLContext
    _seen: tuple[bytes, bytes] = field(default=(b"", b""), repr=False)

    def look(self) -> bool:
        """Take the files if they have changed. Returns whether new connections get another certificate now."""
        files = (self.folder / "tls.crt", self.folder / "tls.key")
        try:
            found = (files[0].read_bytes(), files[1].read_bytes())
            if found == self._seen:
                return False
            # In a context of its own first: one that refuses the key has taken the certificate already.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*files)
            self.context.load_cert_chain(*files)
        except OSError as error:  # ssl.SSLError is one
            _LOG.error("The certificate in %s cannot be taken: %s.", self.folder, error)
            return False
        self._seen = found
        return True


def make_context(folder: Path) -> ssl.SSLContext:
    """A context with the certificate of `folder`, which is looked at from now on, for as long as the process lives."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    certificate = Certificate(folder=folder, context=context)
    certificate.look()
    threading.Thread(target=_watch, args=(certificate,), name="certificate", daemon=True).start()
    return context


def _watch(certificate: Certificate) -> None:
    pause = threading.Event()
    while not pause.wait(INTERVAL_SECONDS):
        if certificate.look():
            _LOG.info("The certificate in %s has changed, and is taken.", certificate.folder)
