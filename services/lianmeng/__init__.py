"""Lianmeng (联盟): temporary alliances of firms, formed in seconds when a product takes off."""

__version__ = "0.1.0"
