"""Technology for the mailbox."""
