"""The commands of `famaug`, one module each; each has a `register(app)`."""
