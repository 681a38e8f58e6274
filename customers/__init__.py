"""Who is supplied, on what terms, and what they have asked to change."""
