"""The street front: pages, sign-in, commands, processes, wiring, migrations."""
