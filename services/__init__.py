"""The services of Malote and what they share; see ARCHITECTURE.md for the one sentence that explains each."""
