"""The kernel: words that every service shares. Pure; imports nothing of ours.

Ids, money, calendars, codes of public standards, clocks and errors.
"""
