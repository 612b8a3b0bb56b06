"""What an AU does to the skin beyond moving it: furrows, bulges and the shade they make."""

from famaug.generator.skin.shade import SkinShade

__all__ = ["SkinShade"]
