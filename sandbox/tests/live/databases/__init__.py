"""Tests of the processes behind the emulated AWS API."""
