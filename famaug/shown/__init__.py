"""Values show themselves: in one line at a prompt, and as a picture in a notebook.

The lines are in `famaug.shown.lines`; what a notebook shows is drawn by `famaug.report.notebook`.
"""
