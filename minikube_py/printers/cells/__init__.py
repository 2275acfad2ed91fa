"""What stands in a table's cell, one file per family of kinds; `api.columns` names the functions by string.

A cell function takes (object, now in seconds since 1970) and gives text, a number, True, False or None.
"""
