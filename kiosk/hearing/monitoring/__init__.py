"""What is watched while a hearing is open, and the state and alarms made from it."""
