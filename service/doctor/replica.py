"""Whether the read replica may be read, and how far it is behind."""

from service.doctor.finding import Finding
from service.read_replica import ReadReplica


def replica_finding(replica: ReadReplica) -> Finding:
    replica.look()
    state = replica.dependency()
    return Finding("read replica", "ok" if state.ok else "fault", state.detail)
