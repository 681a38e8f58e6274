"""Who works here: persons, departments, roles."""
