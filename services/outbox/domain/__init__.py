"""The pure rules of the outbound message (DESIGN §3): a document and what happened go in, a decision comes out."""
