/**
 * What this node knows of PostgreSQL that may require an epoch: which server answers, whether committed rows are
 * missing, and which members have compared everything they hold with it. (PROTOCOL R30)
 */
import { driveOf, everythingDriven } from '../../core/system-of-record/record-standing.ts';
import type { RecordFacts, SeenServer } from '../../core/system-of-record/record-standing.ts';
import type { Topology } from '../../core/membership/topology.ts';

export class RecordNews {
  private seen: SeenServer | null = null;
  private lostIn: number | null = null;
  /** The epoch and drive for which each member last said that it is done. */
  private readonly drivenIn = new Map<number, { readonly epoch: number; readonly drive: number }>();

  saw(seen: SeenServer | null): void {
    this.seen = seen;
  }

  /** Rows known to be committed in this drive are missing or outdated. */
  sawLoss(drive: number): void {
    this.lostIn = drive;
  }

  /** Something that was committed is missing. While a drive lasts, that is known already. */
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
