"""Owns the list of commands."""

from __future__ import annotations

from dockyard.cli.commands.build import build_image
from dockyard.cli.commands.config import config_app
from dockyard.cli.commands.delete import delete_deployment
from dockyard.cli.commands.deploy import deploy_app
from dockyard.cli.commands.doctor import examine_surroundings
from dockyard.cli.commands.drift import show_drift
from dockyard.cli.commands.gc import collect_garbage
from dockyard.cli.commands.history import show_history
from dockyard.cli.commands.logs import show_logs
from dockyard.cli.commands.predict import predict_once
from dockyard.cli.commands.promote import promote_version
from dockyard.cli.commands.rollback import roll_back
from dockyard.cli.commands.status import show_status
from dockyard.cli.commands.sync import send_records
from dockyard.cli.root import make_app

app = make_app("Put models that MLflow logged into service.")
app.add_typer(deploy_app, name="deploy")
app.command("build")(build_image)
app.command("status")(show_status)
app.command("history")(show_history)
app.command("logs")(show_logs)
app.command("predict")(predict_once)
app.command("rollback")(roll_back)
app.command("promote")(promote_version)
app.command("delete")(delete_deployment)
app.command("drift")(show_drift)
app.command("gc")(collect_garbage)
app.command("sync")(send_records)
app.command("doctor")(examine_surroundings)
app.add_typer(config_app, name="config")
