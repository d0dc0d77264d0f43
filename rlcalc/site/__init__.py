"""The documentation site, made of the same data as the program: ``python -m rlcalc.site OUT``.

- ``build``: everything together, from a checkout to a folder of static files;
- ``pages``: the table of contents; every other module makes the pages of one kind as Markdown
  (``formulas``, ``faults``, ``codes``, ``libraries``, ``lecture``, ``reference``);
- ``markdown``, ``plot``: text, tables, mathematics and pictures for a page;
- ``browser``: the calculator and the check as the page calls them, in Pyodide; it needs no NumPy;
- ``packages``: what Pyodide loads, and ``answers``, what the check in the browser compares with;
- ``static/``: scripts and styles.
"""
