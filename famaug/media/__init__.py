"""PIXELS: pictures, folders of frames and videos, read behind limits and written whole."""
