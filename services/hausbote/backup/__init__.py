"""Backups of the box, made, verified and restored with restic."""
