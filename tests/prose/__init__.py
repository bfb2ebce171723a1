"""Check the English that people read: docstrings, messages, Markdown and YAML comments.

``python -m tests.prose`` prints every violation; see ``--help``. There are three rules:

- ``opening``: no docstring opens with What, Where, Whether, Which or How.
- ``length``: a sentence has at most 25 words.
- ``dialect``: a text has none of the phrases in ``tests.prose.dialect``.

Ruff checks the form of docstrings (rules D). The code of ``tests/`` has to pass ``opening`` alone.
"""
