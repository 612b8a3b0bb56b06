"""`python -m famaug`."""

from famaug.cli import main

main()
