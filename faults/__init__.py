"""Campaigns that try to break lookalike: power cuts, damage, bombs, full disks, absurd calls, crowds."""
