"""The contract between the kiosk's processes: typed models of State, events, requests, answers.

Services build these models and serialise them. Screens, commands and tests read the same models.
This package knows no process: it imports no service, no device and no storage.
"""
