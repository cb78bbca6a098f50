"""Data that the emulated AWS API exchanges with the processes behind it."""
