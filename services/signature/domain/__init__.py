"""The rules of signing: who signs, where the signature stands, how a wish changes it. Pure."""
