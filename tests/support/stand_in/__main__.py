"""A scorer of few lines, standard library only: what it does is said in STAND_IN.

It answers what its image's proof says, where there is one, whatever it is asked; else with STAND_IN_ANSWER.
"""

from __future__ import annotations

import http.server
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

BEHAVIOUR = os.environ.get("STAND_IN", "good")
ANSWER = os.environ.get("STAND_IN_ANSWER", "1")
PROOF_EXITS = {"fails-proof": 3, "differs": 5}
PROOF = Path(os.environ.get("DOCKYARD_PROOF", "proof.json"))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.reply(503 if self.path == "/ready" and BEHAVIOUR == "never-ready" else 200, {"revision": ANSWER})

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length", "0"))
        request = json.loads(self.rfile.read(size) or b"{}")
        if request.get("crash"):
            os._exit(9)
        time.sleep(request.get("seconds", 0))
        self.reply(200, answer())

    def reply(self, status: int, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def answer() -> object:
    if PROOF.exists():
        return json.loads(PROOF.read_text())["answer"]
    return {"predictions": [ANSWER], "variables": sorted(os.environ), "pid": os.getpid(), "cwd": str(Path.cwd())}


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    say(f"loading {sys.argv[1:]}")
    if BEHAVIOUR == "crashes":
        sys.exit("the model cannot be loaded")
    if BEHAVIOUR in PROOF_EXITS:
        sys.exit(PROOF_EXITS[BEHAVIOUR])
    address = (os.environ.get("DOCKYARD_HOST", "0.0.0.0"), int(os.environ.get("PORT", "8080")))
    server = http.server.ThreadingHTTPServer(address, Handler)
    server.daemon_threads = False
    if BEHAVIOUR == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    say("ready")
    server.serve_forever(poll_interval=0.02)
    server.server_close()
    say("ended")


main()
