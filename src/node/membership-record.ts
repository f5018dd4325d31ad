/**
 * What this node knows of PostgreSQL that may call for an epoch: which server answers, whether rows that were committed are
 * gone, and which members have compared all that they hold with it. (PROTOCOL R30)
 */
import { driveOf, everythingDriven } from '../core/record-standing.ts';
import type { RecordFacts, SeenServer } from '../core/record-standing.ts';
import type { Topology } from '../core/topology.ts';

export class RecordNews {
  private seen: SeenServer | null = null;
  private lostIn: number | null = null;
  /** The epoch and the drive in which a member has said last that it is done. */
  private readonly drivenIn = new Map<number, { readonly epoch: number; readonly drive: number }>();

  saw(seen: SeenServer | null): void {
    this.seen = seen;
  }

  /** Rows known to be committed in this drive are gone, or older. */
  sawLoss(drive: number): void {
    this.lostIn = drive;
  }

  /** Something that was committed is not there. As long as a drive lasts that is known. */
  missed(topology: Topology | null): void {
    if (topology !== null && everythingDriven(topology)) this.sawLoss(driveOf(topology));
  }

  sawDriven(id: number, epoch: number, drive: number): void {
    this.drivenIn.set(id, { epoch, drive });
  }

  facts(topology: Topology): RecordFacts {
    return {
      seen: this.seen,
      lostIn: this.lostIn,
      hasDriven: (id) => {
        const said = this.drivenIn.get(id);
        return said !== undefined && said.epoch === topology.epoch && said.drive === topology.record?.drive;
      },
    };
  }
}
