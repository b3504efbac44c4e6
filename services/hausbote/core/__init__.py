"""What a service is made of: features, sessions, the way of a stanza, the bus."""
