"""The words every capability shares. Nothing here does I/O, reads a clock or draws a random number.

A capability says what happened (`Event`), what somebody may try (`UseCase`), why it may be refused (`Rejection`) and is
handed what the actor is empowered to do (`Authority`). Everything else of the project builds on these four.
"""
