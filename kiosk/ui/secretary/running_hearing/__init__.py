"""The running hearing: its screen, column by column."""
