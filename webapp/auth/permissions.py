"""What may be done, each with a sentence, and which roles may do it."""

from enum import StrEnum

from foundation.actor import Actor, Role


class Permission(StrEnum):
    """Something a role may do; routes name the one they need."""

    USE_OFFICE = "use_office"
    SEE_ALERTS = "see_alerts"
    HANDLE_ALERTS = "handle_alerts"
    SEE_METERS = "see_meters"
    READ_METER = "read_meter"
    SEE_COLLECTION = "see_collection"
    ASK_BACKFILL = "ask_backfill"
    IMPORT_DEVICES = "import_devices"
    SEE_PROFILES = "see_profiles"
    EDIT_PROFILES = "edit_profiles"
    COMMISSION = "commission"
    SEE_TICKETS = "see_tickets"
    OPEN_TICKET = "open_ticket"
    MOVE_TICKET = "move_ticket"
    WORK_IN_FIELD = "work_in_field"
    TAKE_CALLS = "take_calls"
    SEE_CALLS = "see_calls"
    SEE_ALL_CALLS = "see_all_calls"
    CALL_BACK = "call_back"
    SEE_OUTAGES = "see_outages"
    HANDLE_OUTAGES = "handle_outages"
    MANAGE_CHANNELS = "manage_channels"
    SEE_COMMANDS = "see_commands"
    ASK_COMMAND = "ask_command"
    REVIEW_COMMAND = "review_command"
    SEE_FORECAST = "see_forecast"
    MAKE_FORECAST = "make_forecast"
    SEE_APPLICATIONS = "see_applications"
    ACCEPT_APPLICATION = "accept_application"
    HANDLE_APPLICATION = "handle_application"
    WORK_STAGES = "work_stages"
    SEE_ARCHIVE = "see_archive"
    SEE_CUSTOMERS = "see_customers"
    RUN_SIMULATOR = "run_simulator"
    SEE_STAFF = "see_staff"
    MANAGE_STAFF = "manage_staff"
    SEE_AUDIT = "see_audit"
    SEE_JOBS = "see_jobs"
    MANAGE_JOBS = "manage_jobs"


SENTENCES: dict[Permission, str] = {
    Permission.USE_OFFICE: "sign in and see the own desk",
    Permission.SEE_ALERTS: "see the alert console",
    Permission.HANDLE_ALERTS: "acknowledge, suppress and close alerts",
    Permission.SEE_METERS: "see meters and their curves",
    Permission.READ_METER: "ask a meter to be read now",
    Permission.SEE_COLLECTION: "see collection and terminals",
    Permission.ASK_BACKFILL: "ask for missing intervals to be read again",
    Permission.IMPORT_DEVICES: "import lists of devices",
    Permission.SEE_PROFILES: "see terminal profiles",
    Permission.EDIT_PROFILES: "write terminal profiles and try them on live devices",
    Permission.COMMISSION: "check terminals and put them into service",
    Permission.SEE_TICKETS: "see tickets",
    Permission.OPEN_TICKET: "open tickets",
    Permission.MOVE_TICKET: "move tickets, as far as the flow allows the role",
    Permission.WORK_IN_FIELD: "see and do the own crew's tasks",
    Permission.TAKE_CALLS: "take calls at the operators' desk",
    Permission.SEE_CALLS: "see the own calls",
    Permission.SEE_ALL_CALLS: "see everybody's calls",
    Permission.CALL_BACK: "call customers back and take their answer",
    Permission.SEE_OUTAGES: "see outages",
    Permission.HANDLE_OUTAGES: "register, confirm and end outages, say when supply is back",
    Permission.MANAGE_CHANNELS: "see notices sent, and who wants none",
    Permission.SEE_COMMANDS: "see commands to meters",
    Permission.ASK_COMMAND: "ask for a meter to be switched",
    Permission.REVIEW_COMMAND: "approve or reject a command somebody else asked for",
    Permission.SEE_FORECAST: "see load forecasts and how they did",
    Permission.MAKE_FORECAST: "ask for a new load forecast",
    Permission.SEE_APPLICATIONS: "see applications and their documents",
    Permission.ACCEPT_APPLICATION: "take applications in",
    Permission.HANDLE_APPLICATION: "move applications as far as the flow allows, add documents",
    Permission.WORK_STAGES: "see and take the own department's steps of applications",
    Permission.SEE_ARCHIVE: "see changes of the archive",
    Permission.SEE_CUSTOMERS: "see customers and their accounts",
    Permission.RUN_SIMULATOR: "order faults and calls from the simulators",
    Permission.SEE_STAFF: "see staff and roles",
    Permission.MANAGE_STAFF: "add staff, change roles, set passwords",
    Permission.SEE_AUDIT: "read the audit",
    Permission.SEE_JOBS: "see jobs and their runs",
    Permission.MANAGE_JOBS: "run a job now or again",
}

_EVERY_STAFF = frozenset(Role) - {Role.WALL}
_DESKS = _EVERY_STAFF - {Role.CREW}

GRANTS: dict[Permission, frozenset[Role]] = {
    Permission.USE_OFFICE: _EVERY_STAFF,
    Permission.SEE_ALERTS: frozenset(
        {Role.DISPATCHER, Role.INSPECTOR, Role.SUPERVISOR, Role.ADMIN}
    ),
    Permission.HANDLE_ALERTS: frozenset({Role.DISPATCHER, Role.SUPERVISOR}),
    Permission.SEE_METERS: _DESKS,
    Permission.READ_METER: _EVERY_STAFF - {Role.ADMIN},
    Permission.SEE_COLLECTION: frozenset(
        {Role.DISPATCHER, Role.INSPECTOR, Role.SUPERVISOR, Role.ADMIN}
    ),
    Permission.ASK_BACKFILL: frozenset({Role.DISPATCHER, Role.SUPERVISOR, Role.ADMIN}),
    Permission.IMPORT_DEVICES: frozenset({Role.CLERK, Role.ADMIN}),
    Permission.SEE_PROFILES: frozenset(
        {Role.DISPATCHER, Role.CLERK, Role.INSPECTOR, Role.SUPERVISOR, Role.ADMIN}
    ),
    Permission.EDIT_PROFILES: frozenset({Role.ADMIN}),
    Permission.COMMISSION: frozenset({Role.CLERK, Role.INSPECTOR, Role.SUPERVISOR, Role.ADMIN}),
    Permission.SEE_TICKETS: _DESKS,
    Permission.OPEN_TICKET: frozenset(
        {Role.AGENT, Role.DISPATCHER, Role.INSPECTOR, Role.SUPERVISOR}
    ),
    Permission.MOVE_TICKET: _DESKS - {Role.ADMIN},
    Permission.WORK_IN_FIELD: frozenset({Role.CREW, Role.INSPECTOR}),
    Permission.TAKE_CALLS: frozenset({Role.AGENT, Role.SUPERVISOR}),
    Permission.SEE_CALLS: frozenset({Role.AGENT, Role.SUPERVISOR, Role.ADMIN}),
    Permission.SEE_ALL_CALLS: frozenset({Role.SUPERVISOR, Role.ADMIN}),
    Permission.CALL_BACK: frozenset({Role.AGENT, Role.SUPERVISOR}),
    Permission.SEE_OUTAGES: _DESKS,
    Permission.HANDLE_OUTAGES: frozenset({Role.DISPATCHER, Role.SUPERVISOR}),
    Permission.MANAGE_CHANNELS: frozenset({Role.SUPERVISOR, Role.ADMIN}),
    Permission.SEE_COMMANDS: frozenset({Role.DISPATCHER, Role.SUPERVISOR, Role.ADMIN}),
    Permission.ASK_COMMAND: frozenset({Role.DISPATCHER, Role.SUPERVISOR}),
    Permission.REVIEW_COMMAND: frozenset({Role.DISPATCHER, Role.SUPERVISOR}),
    Permission.SEE_FORECAST: frozenset({Role.DISPATCHER, Role.CLERK, Role.SUPERVISOR, Role.ADMIN}),
    Permission.MAKE_FORECAST: frozenset({Role.DISPATCHER, Role.SUPERVISOR, Role.ADMIN}),
    Permission.SEE_APPLICATIONS: _EVERY_STAFF - {Role.DISPATCHER},
    Permission.ACCEPT_APPLICATION: frozenset({Role.AGENT, Role.CLERK, Role.SUPERVISOR}),
    Permission.HANDLE_APPLICATION: frozenset(
        {Role.AGENT, Role.CLERK, Role.INSPECTOR, Role.CREW, Role.SUPERVISOR}
    ),
    Permission.WORK_STAGES: frozenset({Role.CLERK, Role.INSPECTOR, Role.CREW, Role.SUPERVISOR}),
    Permission.SEE_ARCHIVE: frozenset({Role.CLERK, Role.SUPERVISOR, Role.ADMIN}),
    Permission.SEE_CUSTOMERS: _DESKS,
    Permission.RUN_SIMULATOR: frozenset({Role.DISPATCHER, Role.SUPERVISOR, Role.ADMIN}),
    Permission.SEE_STAFF: frozenset({Role.SUPERVISOR, Role.ADMIN}),
    Permission.MANAGE_STAFF: frozenset({Role.ADMIN}),
    Permission.SEE_AUDIT: frozenset({Role.SUPERVISOR, Role.ADMIN}),
    Permission.SEE_JOBS: frozenset({Role.SUPERVISOR, Role.ADMIN}),
    Permission.MANAGE_JOBS: frozenset({Role.ADMIN}),
}


def may(actor: Actor | None, permission: Permission) -> bool:
    """Whether an actor may do something."""
    return actor is not None and bool(actor.roles & GRANTS[permission])
