"""One file per command of ``kiosk``.

Each file has ``HELP`` (one line), a module docstring, ``EXAMPLES`` and ``EXIT_STATUS`` (shown by
``kiosk COMMAND --help``), ``add_arguments(parser)`` and ``run(arguments) -> int`` (the exit
status). Errors may leave ``run``: :mod:`kiosk.commands._errors` says them. Files whose names begin
with an underscore are no commands.
"""
