"""`python -m webapp` is `gridhall`."""

from webapp.cli import main

main()
