"""The rules of the mailbox: pure."""
