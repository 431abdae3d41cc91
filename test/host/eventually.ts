/** Waits for what another process or a background task brings about: looks again until it holds, or too long has passed. */

const LOOK_MS = 10;

export async function eventually(check: () => void | Promise<void>, timeoutMs = 60_000): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > endMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }
}
