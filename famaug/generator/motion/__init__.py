"""How a neutral face moves: points by the AU basis, fields of pixels, eyes and mouth as layers."""
