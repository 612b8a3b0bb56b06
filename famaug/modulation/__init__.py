"""PLAN: from measured or drawn AUs to what shall be shown.

Smoothing over time (Eq. 2), onset-relative transfer (Eq. 3), envelopes timed like real
micro-expressions, and sources of expressions beside a driver clip.
"""
