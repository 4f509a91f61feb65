"""The reference in docs/reference, written from the code by `make docs`.

Each module makes the pages of one subject; `pages` lists them all. A test fails where a page and
the code have drifted apart.
"""
