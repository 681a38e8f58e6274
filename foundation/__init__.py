"""The floor: database, clock, events, jobs, flows, staff; it knows no meter and no customer."""
