"""Routes: each says who may use it, is found in the menu or listed here, and none is lost."""

from collections.abc import Iterator

import pytest
from flask import Flask

from foundation.office import Office
from foundation.settings import settings
from webapp.app import create_app
from webapp.auth.guard import PUBLIC, needed
from webapp.auth.permissions import Permission
from webapp.navigation import HOMES, TREE

ROUTES = """
GET  /                                   public.root               public
GET  /admin/audit                        audit.listing             see_audit
GET  /admin/channels                     channels.listing          manage_channels
POST /admin/channels/opt-out             channels.stop             manage_channels
GET  /admin/jobs                         jobs.listing              see_jobs
POST /admin/jobs/retry                   jobs.retry                manage_jobs
POST /admin/jobs/run                     jobs.run_now              manage_jobs
GET  /admin/simulator                    simulator.panel           run_simulator
POST /admin/simulator                    simulator.order           run_simulator
GET  /admin/switch                       switch.panel              run_simulator
POST /admin/switch/call                  switch.call               run_simulator
POST /admin/switch/phone                 switch.phone              run_simulator
POST /admin/switch/storm                 switch.storm              run_simulator
GET  /admin/users                        staff.listing             see_staff
POST /admin/users                        staff.add                 manage_staff
POST /admin/units/<int:unit_id>/desks    staff.desks              manage_staff
POST /admin/users/<int:person_id>        staff.change              manage_staff
POST /admin/users/<int:person_id>/password staff.password          manage_staff
GET  /alerts                             alerts.console            see_alerts
POST /alerts/<int:alert_id>/acknowledge  alerts.acknowledge_alert  handle_alerts
POST /alerts/<int:alert_id>/close        alerts.close_by_hand      handle_alerts
POST /alerts/<int:alert_id>/false        alerts.call_alert_false   handle_alerts
POST /alerts/<int:alert_id>/read         alerts.read_now           read_meter
POST /alerts/<int:alert_id>/suppress     alerts.suppress_alert     handle_alerts
POST /alerts/<int:alert_id>/ticket       alerts.make_ticket        open_ticket
GET  /collection                         collection.overview       see_collection
GET  /collection/missing                 collection.missing        see_collection
POST /collection/missing/backfill        collection.backfill       ask_backfill
GET  /devices/import                     imports.form              import_devices
POST /devices/import                     imports.send              import_devices
GET  /devices/import/<int:import_id>     imports.detail            import_devices
POST /devices/import/<int:import_id>/write imports.write           import_devices
GET  /devices/import/template.xlsx       imports.template          import_devices
GET  /search                             search.find               see_customers
GET  /terminals                          terminals.listing         see_collection
GET  /terminals/<terminal_no>            terminals.detail          see_collection
POST /api/v1/cti/events                  telephony.tell_event      public
GET  /api/v1/openapi.json                telephony.document        public
GET  /callbacks                          callbacks.listing         call_back
POST /callbacks/<int:callback_id>/answer callbacks.answer          call_back
POST /callbacks/<int:callback_id>/attempt callbacks.attempt         call_back
GET  /calls                              calls.listing             see_calls
GET  /desk                               desk.desktop              take_calls
GET  /desk/bar                           desk.bar                  take_calls
POST /desk/calls/<int:call_id>/close     desk.close                take_calls
POST /desk/calls/<int:call_id>/fault     desk.fault                take_calls
POST /desk/calls/<int:call_id>/note      desk.note                 take_calls
POST /desk/calls/<int:call_id>/phone/<order> desk.press                take_calls
POST /desk/calls/<int:call_id>/point     desk.point                take_calls
POST /desk/calls/<int:call_id>/read      desk.read_now             read_meter
POST /desk/extension                     desk.set_extension        take_calls
POST /desk/state                         desk.set_state            take_calls
POST /drafts/<key>                       drafts.keep               use_office
GET  /commands                           commands.listing          see_commands
GET  /commands/<command_no>              commands.detail           see_commands
POST /commands/<command_no>/read         commands.read_now         read_meter
POST /commands/<command_no>/review       commands.review           review_command
POST /commands/<command_no>/withdraw     commands.withdraw         ask_command
GET  /commission                         commission.listing        commission
GET  /commission/<terminal_no>           commission.detail         commission
POST /commission/<terminal_no>/check     commission.check          commission
POST /commission/<terminal_no>/connection commission.connect       commission
POST /commission/<terminal_no>/service   commission.put            commission
GET  /profiles                           profiles.listing          see_profiles
GET  /profiles/<name>                    profiles.detail           see_profiles
POST /profiles/<name>                    profiles.save             edit_profiles
GET  /profiles/new                       profiles.new              edit_profiles
POST /profiles/new                       profiles.add              edit_profiles
POST /profiles/take                      profiles.take             edit_profiles
POST /profiles/try                       profiles.look             edit_profiles
GET  /apps                                apps.listing             see_applications
GET  /apps/<application_no>               apps.detail              see_applications
POST /apps/<application_no>/claim         app_steps.claim          handle_application
POST /apps/<application_no>/code          app_steps.new_code       accept_application
POST /apps/<application_no>/draft         app_steps.save_draft     handle_application
GET  /apps/<application_no>/files/<int:attachment_id> app_files.read see_applications
POST /apps/<application_no>/files/<int:attachment_id>/remove app_files.remove handle_application
POST /apps/<application_no>/give-back     app_steps.give_back      handle_application
POST /apps/<application_no>/note          app_steps.note           handle_application
POST /apps/<application_no>/papers/<kind> app_files.upload         handle_application
POST /apps/<application_no>/papers/<kind>/promise app_files.promise handle_application
POST /apps/<application_no>/pause         app_steps.pause          handle_application
POST /apps/<application_no>/rehearse      app_steps.try_out        handle_application
POST /apps/<application_no>/resume        app_steps.resume         handle_application
POST /apps/<application_no>/settle/<line>/<choice> app_steps.settle handle_application
POST /apps/<application_no>/step/<outcome> app_steps.make_move     handle_application
GET  /apps/new                            intake.wizard            accept_application
POST /apps/new/<step>                     intake.save_step         accept_application
POST /apps/new/customer/<int:customer_id> intake.choose_customer   accept_application
POST /apps/new/drop                       intake.give_up           accept_application
POST /apps/new/duplicates                 intake.duplicates        accept_application
GET  /apps/new/files/<int:attachment_id>  intake.read              accept_application
POST /apps/new/files/<int:attachment_id>/remove intake.remove      accept_application
POST /apps/new/papers/<kind>              intake.upload            accept_application
POST /apps/new/submit                     intake.take_in           accept_application
GET  /archive                             archive.listing          see_archive
GET  /customers                           customers.listing        see_customers
GET  /customers/<account_no>              customers.detail         see_customers
GET  /events                             live.events               use_office
GET  /forecast                           forecast.board            see_forecast
POST /forecast/ask                       forecast.ask              make_forecast
GET  /forecast/export                    forecast.export           see_forecast
GET  /healthz                            health.healthz            public
GET  /home                               home.desk                 use_office
GET  /login                              public.login              public
POST /login                              public.sign_in            public
GET  /logo                               public.logo               public
POST /logout                             public.sign_out           public
GET  /m/tasks                            crew.tasks                work_in_field
GET  /m/tasks/<ticket_no>                crew.task                 work_in_field
POST /m/tasks/<ticket_no>/move/<move>    crew.make_move            work_in_field
POST /m/tasks/<ticket_no>/note           crew.note                 work_in_field
POST /m/tasks/<ticket_no>/read           crew.read_now             work_in_field
POST /me/language                        public.choose_language    public
POST /me/theme                           public.choose_theme       public
GET  /meters                             meters.listing            see_meters
GET  /meters/<meter_no>                  meters.detail             see_meters
GET  /meters/<meter_no>/command          commands.form             ask_command
POST /meters/<meter_no>/command          commands.ask_for          ask_command
POST /meters/<meter_no>/read             meters.read_now           read_meter
GET  /metrics                            health.metrics            public
GET  /nav                                home.nav                  use_office
GET  /outages                            outages.listing           see_outages
POST /outages                            outages.register          handle_outages
GET  /outages/<outage_no>                outages.detail            see_outages
POST /outages/<outage_no>/<move>         outages.change            handle_outages
GET  /p/apply                             progress.ask             public
POST /p/apply                             progress.check           public
GET  /p/apply/<application_no>            progress.show            public
GET  /readyz                             health.readyz             public
GET  /tasks                              tasks.listing            work_stages
POST /tasks/claim                        tasks.claim_many         work_stages
GET  /tickets                            tickets.listing           see_tickets
GET  /tickets/<ticket_no>                tickets.detail            see_tickets
POST /tickets/<ticket_no>/move/<move>    tickets.make_move         move_ticket
POST /tickets/<ticket_no>/note           tickets.note              move_ticket
GET  /tickets/new                        tickets.new               open_ticket
POST /tickets/new                        tickets.make              open_ticket
"""
NOT_IN_THE_MENU = {
    "public.root": "leads on",
    "public.login": "before there is a menu",
    "public.logo": "a picture",
    "commands.detail": "from the list of commands",
    "commands.form": "from a meter",
    "commission.detail": "opened from the list",
    "profiles.detail": "opened from the list",
    "profiles.new": "opened from the list",
    "home.nav": "the menu itself",
    "search.find": "the search of every page",
    "live.events": "a stream",
    "health.healthz": "for those who watch the process",
    "health.readyz": "for those who watch the process",
    "health.metrics": "for those who watch the process",
    "forecast.export": "a file, taken from the page",
    "apps.detail": "opened from the list",
    "app_files.read": "a file of a case",
    "intake.wizard": "opened from the list of cases",
    "intake.read": "a file of a case that is being taken in",
    "customers.detail": "opened from the list",
    "progress.ask": "for customers, who have no menu",
    "progress.show": "for customers, who have no menu",
    "crew.task": "opened from the list",
    "desk.bar": "a part of every page",
    "outages.detail": "opened from the list",
    "telephony.document": "for those who write programs",
    "meters.detail": "opened from the list",
    "collection.missing": "opened from the map",
    "terminals.detail": "opened from the list",
    "imports.detail": "opened from the list",
    "imports.template": "a file",
    "tickets.detail": "opened from the list",
    "tickets.new": "opened from the list",
}
SHOW_MORE = {Permission.SEE_ALL_CALLS: "the call log shows others' calls too"}


@pytest.fixture(scope="module")
def app() -> Flask:
    """Put the portal together; no database is asked."""
    return create_app(Office(settings(), "postgresql://nobody@127.0.0.1:1/none"))


def routes(app: Flask) -> Iterator[tuple[str, str, str, str]]:
    for rule in app.url_map.iter_rules():
        if rule.endpoint == "static":
            continue
        who = needed(app.view_functions[rule.endpoint])
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            yield method, rule.rule, rule.endpoint, str(who)


def test_no_route_comes_or_goes_unnoticed(app: Flask) -> None:
    pinned = {tuple(line.split()) for line in ROUTES.strip().splitlines()}
    assert set(routes(app)) == pinned


def test_every_route_says_who_may_use_it(app: Flask) -> None:
    for _, rule, _, who in routes(app):
        assert who == PUBLIC or who in set(Permission), rule


def test_every_page_is_in_the_menu_or_on_the_list_of_those_that_are_not(app: Flask) -> None:
    pages = {endpoint for method, _, endpoint, _ in routes(app) if method == "GET"}
    in_menu = {item.endpoint for group in TREE for item in group.items}
    assert pages == in_menu | set(NOT_IN_THE_MENU)
    assert in_menu.isdisjoint(NOT_IN_THE_MENU)


def test_every_entry_of_the_menu_leads_where_it_says_for_those_it_says(app: Flask) -> None:
    adapter = app.url_map.bind("localhost")
    for group in TREE:
        for item in group.items:
            assert adapter.match(item.href) == (item.endpoint, {})
            assert needed(app.view_functions[item.endpoint]) is item.permission


def test_a_day_begins_at_a_page_there_is(app: Flask) -> None:
    adapter = app.url_map.bind("localhost")
    assert all(adapter.match(home) for home in HOMES.values())


def test_what_changes_something_is_never_a_plain_link(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        asked = (rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"}
        assert asked in ({"GET"}, {"POST"}), rule


def test_every_permission_opens_something(app: Flask) -> None:
    used = {who for _, _, _, who in routes(app)}
    assert set(Permission) - set(SHOW_MORE) <= used
