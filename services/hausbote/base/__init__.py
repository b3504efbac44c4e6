"""What everything else stands on: settings, addresses, tokens, the words of the log."""
