"""The gateway consumes what services say and people ask over REST, decides who may do what, emits wishes."""
