"""LOOK: pages on this machine for people who look before they believe.

A playground for expressions, a browser of caches, a rating by experts, and what the modulation does
to a driver. Start with app.py; what is worked out (wish.py, desk.py, shelf.py, ratings.py) knows of
no page. `toolkit.py` brings NiceGUI, which comes with the extra `studio`.
"""
