"""Races and kills on the real stack, judged by a pure checker from one recorded history."""
