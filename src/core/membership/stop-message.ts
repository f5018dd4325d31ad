/**
 * Messages exchanged before a member is stopped, so that no two are stopped at the same time. Sent within an epoch, so
 * that a voter and the asker agree on who the members are. (decision 49)
 */

/** "May I be the one that stops?" */
export interface StopAsk {
  readonly kind: 'stopAsk';
  /** Returned in the answer. */
  readonly attempt: number;
}

export interface StopAnswer {
  readonly kind: 'stopAnswer';
  readonly attempt: number;
  /** Member id of another member that is stopping; 0 if the asker may stop. */
  readonly holder: number;
}

/** "I am about to stop." */
export interface StopWord {
  readonly kind: 'stopWord';
  /** Milliseconds for which the announcement holds; 0 takes it back. */
  readonly leftMs: number;
}

export type StopMessage = StopAsk | StopAnswer | StopWord;
