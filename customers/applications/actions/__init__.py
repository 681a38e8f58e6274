"""Changes of applications: taking them in, moving them, their documents."""
