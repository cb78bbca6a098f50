"""Data that the emulated AWS API and the processes behind it exchange."""
