"""Health and metrics for those who watch the process."""

from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text

from webapp import database
from webapp.auth.guard import public
from webapp.session import db, engine

page = Blueprint("health", __name__)


@page.get("/healthz")
@public
def healthz() -> Response:
    """Whether the process runs."""
    return jsonify(alive=True)


@page.get("/readyz")
@public
def readyz() -> Response:
    """Whether it can serve: the database answers and its schema is current."""
    db().execute(text("SELECT 1"))
    ready = database.schema_is_current(engine())
    answer = jsonify(ready=ready)
    answer.status_code = 200 if ready else 503
    return answer


@page.get("/metrics")
@public
def metrics() -> Response:
    """Prometheus metrics; a front server keeps them from the outside."""
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)
