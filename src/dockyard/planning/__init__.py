"""Pure decisions: plan_x(wanted, observed) -> Plan. No I/O, no clock, no randomness; imports the domain only."""
