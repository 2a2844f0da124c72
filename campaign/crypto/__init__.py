"""Everything that encrypts: campaign keys, data keys, key holders, tokens, padding."""
