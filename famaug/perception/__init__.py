"""Networks that look at pictures and are never trained here.

`identity` says who is shown, `features` what a picture consists of. Both are differentiable, so
they serve as losses as well as scores. Their weights are fetched, not shipped.
"""
