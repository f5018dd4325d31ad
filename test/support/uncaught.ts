/** Collects what nobody caught in this process, without the test runner taking it for a fault of the test. */
export async function uncaughtBy<Told>(act: () => Promise<Told>): Promise<{ told: Told; error: unknown }> {
  const others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  try {
    const uncaught = new Promise<unknown>((resolve) => process.once('uncaughtException', resolve));
    const told = await act();
    return { told, error: await uncaught };
  } finally {
    process.removeAllListeners('uncaughtException');
    for (const other of others) process.on('uncaughtException', other);
  }
}
