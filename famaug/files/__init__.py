"""FILES: written whole or not at all, read behind limits; folders and tables of any kind."""
