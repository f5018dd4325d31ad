/**
 * What members say to one another before one of them is stopped, so that no two are at the same time. Said within an epoch: a voter
 * and who asks it agree on who is there. (decision 49)
 */

/** "May I be the one that stops?" */
export interface StopAsk {
  readonly kind: 'stopAsk';
  /** Comes back with the answer. */
  readonly attempt: number;
}

export interface StopAnswer {
  readonly kind: 'stopAnswer';
  readonly attempt: number;
  /** Member id of another that stops; 0: the asker may. */
  readonly holder: number;
}

/** "I am about to stop." */
export interface StopWord {
  readonly kind: 'stopWord';
  /** Milliseconds for which that holds; 0: not any more. */
  readonly leftMs: number;
}

export type StopMessage = StopAsk | StopAnswer | StopWord;
