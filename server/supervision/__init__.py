"""Processes: started, watched, started again, ended, orphans included."""
