"""Flow of pairs, and the pictures made of it."""
