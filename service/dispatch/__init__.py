"""Telling receivers of events: from the outbox to alerts, from alerts to mail servers, brokers and AWS."""
