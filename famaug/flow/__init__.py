"""FLOW: motion from onset to apex, densely, and as the pictures that recognisers look at."""
