"""The ground floor: errors, enumerations, time, record layouts and random streams. Imports nothing of the project."""
