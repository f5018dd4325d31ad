/**
 * The wall-clock times that other members have shown in their heartbeats. A clock that has shown a time has passed it,
 * so nothing is estimated. (PROTOCOL R26)
 */
export class PeerClocks {
  /** Wall-clock ms by member id. */
  private readonly shown = new Map<number, number>();

  /** The latest heartbeat counts, so that a clock that was set back is not held to what it showed before. */
  heard(memberId: number, wallAt: number): void {
    this.shown.set(memberId, wallAt);
  }

  havePassed(memberIds: readonly number[], wallTime: number): boolean {
    return memberIds.every((id) => (this.shown.get(id) ?? -Infinity) > wallTime);
  }
}
