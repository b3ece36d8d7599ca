"""The pledge service: programmes, people, pledges, meetings and their evidence."""
