"""The portal: one Flask application, put together here and nowhere else."""

import logging
import time
from datetime import timedelta

from flask import Flask, Response, g, request
from flask_wtf.csrf import CSRFProtect
from prometheus_client import Counter, Histogram
from werkzeug.middleware.proxy_fix import ProxyFix

from foundation import clock
from foundation.attachments import MEGABYTE
from foundation.office import Office
from webapp import context, errors, live, wiring
from webapp.api import callcenter as telephony
from webapp.context import language, t
from webapp.format import register as register_filters
from webapp.pages import drafts, home, progress, public, search
from webapp.pages.admin import audit, channels, health, jobs, staff, switch
from webapp.pages.callcenter import callbacks, calls, crew, desktop, tickets
from webapp.pages.customers import (
    application_files,
    application_steps,
    applications,
    archive,
    customers,
    intake,
    tasks,
)
from webapp.pages.loadmgmt import alert_console, forecast, outages
from webapp.pages.metering import (
    collection,
    commands,
    commission,
    imports,
    meters,
    profiles,
    simulator,
    terminals,
)
from webapp.session import Portal

logger = logging.getLogger(__name__)

REQUESTS = Counter("gridhall_requests_total", "Requests answered", ["endpoint", "status"])
SECONDS = Histogram("gridhall_request_seconds", "Time to answer a request", ["endpoint"])

PAGES = (
    public.page,
    home.page,
    search.page,
    alert_console.page,
    forecast.page,
    meters.page,
    collection.page,
    terminals.page,
    imports.page,
    commands.page,
    commission.page,
    profiles.page,
    simulator.page,
    desktop.page,
    calls.page,
    callbacks.page,
    outages.page,
    drafts.page,
    tickets.page,
    crew.page,
    switch.page,
    channels.page,
    intake.page,
    applications.page,
    application_steps.page,
    application_files.page,
    tasks.page,
    archive.page,
    customers.page,
    progress.page,
    staff.page,
    audit.page,
    jobs.page,
    health.page,
    live.page,
)
"""Every page of the portal, one blueprint a file."""

DOORS = (telephony.page,)
"""Doors for other programs, under /api/v1."""

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; script-src 'self'; style-src 'self';"
    " img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; object-src 'none';"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), camera=(self), microphone=(self)",
}
YEAR_S = 31_536_000


def create_app(office: Office) -> Flask:
    """Put the portal together for one office.

    Args:
        office: settings and the office account's database.
    """
    wiring.connect()
    app = Portal(
        __name__,
        title="Gridhall",
        version="1",
        spec_path=None,
        docs_path=None,
        json_errors=False,
    )
    app.config.update(
        OFFICE=office,
        HUB=live.Hub(office),
        SECRET_KEY=office.settings.cookie_key(),
        SESSION_COOKIE_NAME="gridhall",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=office.settings.secure_cookies,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=office.settings.session_hours),
        MAX_CONTENT_LENGTH=(office.settings.upload_mb + 1) * MEGABYTE,
        WTF_CSRF_TIME_LIMIT=office.settings.session_hours * 3600,
        WTF_CSRF_SSL_STRICT=office.settings.secure_cookies,
        SEND_FILE_MAX_AGE_DEFAULT=3600,
        TEMPLATES_AUTO_RELOAD=False,
        OPENAPI_VERSION="3.1.0",
        AUTO_SERVERS=False,
        VALIDATION_ERROR_SCHEMA=telephony.REFUSED,
        HTTP_ERROR_SCHEMA=telephony.REFUSED,
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.security_schemes = telephony.SECURITY
    _serve(app)
    if office.settings.proxies:
        hops = office.settings.proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops
        )
    errors.register(app, language=language)
    context.register(app)
    register_filters(
        app.jinja_env,
        language=language,
        zone=office.settings.time_zone,
        now=clock.now,
        t=t,
    )
    app.before_request(_begin)
    app.after_request(_finish)
    return app


def _serve(app: Flask) -> None:
    """Register pages, whose forms carry a token, and doors, whose requests are signed."""
    csrf = CSRFProtect(app)
    for page in PAGES:
        app.register_blueprint(page)
    for door in DOORS:
        csrf.exempt(door)
        app.register_blueprint(door)


def _begin() -> None:
    g.began = time.perf_counter()


def _finish(answer: Response) -> Response:
    for name, value in SECURITY_HEADERS.items():
        answer.headers.setdefault(name, value)
    if request.endpoint != "static":
        answer.headers.setdefault("Cache-Control", "no-store")
    seconds = time.perf_counter() - g.get("began", time.perf_counter())
    endpoint = request.endpoint or "none"
    REQUESTS.labels(endpoint, str(answer.status_code)).inc()
    if endpoint != "live.events":
        SECONDS.labels(endpoint).observe(seconds)
    who = g.get("who")
    logger.info(
        "request",
        extra={
            "method": request.method,
            "path": request.path,
            "status": answer.status_code,
            "ms": round(seconds * 1000, 1),
            "person": who.actor.id if who else None,
        },
    )
    return answer
