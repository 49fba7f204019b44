"""One file per command of ``kiosk``.

Each file has ``HELP`` (one line), a module docstring (shown by ``kiosk COMMAND --help``),
``add_arguments(parser)`` and ``run(arguments) -> int`` (the exit status). Files whose names begin
with an underscore are no commands.
"""
