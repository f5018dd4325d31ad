/** Random numbers, injected so that a simulation can repeat them. Not for secrets. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
}
