"""Who may call, and how much: keys, tokens, scopes, tags, limits, and the record of who changed what.

request --> limits of connections --> who is it? --> may it do that? --> its fair share --> the routes
                                      |   |   |
                                signature key token
"""
