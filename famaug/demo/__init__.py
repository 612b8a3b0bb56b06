"""`famaug demo`: the main job on sample media, ending in one page to look at."""
